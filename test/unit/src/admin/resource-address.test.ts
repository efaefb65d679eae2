import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inCollection, ResourceTable, storeId } from '../../../../src/admin/resource-address.ts'
import { defineKind } from '../../../../src/resources/define-kind.ts'

const declare = (name: string, more: object = {}) =>
  defineKind({ name, noun: name, schemaName: name, schema: {}, ...more })
const table = new ResourceTable([
  declare('routes'),
  declare('consumers', { idFrom: 'username' }),
  declare('credentials', { parent: 'consumers' }),
  declare('secrets', { idFrom: 'manager' }),
])

const addresses: [path: string, kind: string, directory: string, key: string | undefined, subPath: string][] = [
  ['routes', 'routes', 'routes', undefined, ''],
  ['routes/1', 'routes', 'routes', '1', ''],
  ['routes/1/upstream/nodes', 'routes', 'routes', '1', 'upstream/nodes'],
  ['consumers/jack', 'consumers', 'consumers', 'jack', ''],
  ['consumers/jack/credentials', 'credentials', 'consumers', undefined, ''],
  ['consumers/jack/credentials/a', 'credentials', 'consumers', 'jack/credentials/a', ''],
  ['consumers/jack/other', 'consumers', 'consumers', 'jack', 'other'],
  ['secrets', 'secrets', 'secrets', undefined, ''],
  ['secrets/vault', 'secrets', 'secrets', undefined, ''],
  ['secrets/vault/1', 'secrets', 'secrets', 'vault/1', ''],
  ['secrets/vault/1/token', 'secrets', 'secrets', 'vault/1', 'token'],
]
for (const [path, kind, directory, key, subPath] of addresses) {
  test(`the path ${path} means ${kind} ${key ?? 'as a whole'}`, () => {
    const address = table.address(path.split('/'))
    assert.ok(address)
    assert.equal(address.kind.name, kind)
    assert.equal(address.directory, directory)
    assert.equal(address.id === undefined ? undefined : storeId(address, address.id), key)
    assert.equal(address.subPath.join('/'), subPath)
  })
}

test('unknown kinds, and nested kinds without their parent, have no address', () => {
  for (const path of ['routs', 'credentials', 'credentials/a', '']) {
    assert.equal(table.address(path.split('/')), undefined, path)
  }
})

test('a collection leaves out what lives below its members, and a nested one what is beside it', () => {
  const consumers = table.address(['consumers'])
  const credentials = table.address(['consumers', 'jack', 'credentials'])
  assert.ok(consumers && credentials)
  assert.equal(inCollection(consumers, 'jack', true), true)
  assert.equal(inCollection(consumers, 'jack/credentials/a', true), false)
  assert.equal(inCollection(credentials, 'jack/credentials/a', false), true)
  assert.equal(inCollection(credentials, 'jack2/credentials/a', false), false)
  assert.equal(inCollection(credentials, 'jack', false), false)
})
