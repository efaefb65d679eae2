/** Where secrets stand in configurations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { encryptedFieldsOf, mapFields } from '../../../../src/plugin/encrypted-fields.ts'
import { pluginOf } from '../../../support/resource-checks.ts'

const cases: readonly (readonly [conf: JsonObject, paths: readonly string[], changed: JsonObject])[] = [
  [{ a: 'x', b: 'y' }, ['a'], { a: 'X', b: 'y' }],
  [{ a: { b: 'x', c: 'y' } }, ['a.b'], { a: { b: 'X', c: 'y' } }],
  [{ a: [{ b: 'x' }, { c: 'y' }, 'z'] }, ['a.b'], { a: [{ b: 'X' }, { c: 'y' }, 'z'] }],
  [{ a: ['x', 1], b: { k: 'x', n: { k: 'y' } } }, ['a', 'b'], { a: ['X', 1], b: { k: 'X', n: { k: 'Y' } } }],
  [{ a: null, b: 1, c: 'x' }, ['a', 'b', 'd', 'c.x', 'constructor'], { a: null, b: 1, c: 'x' }],
]
for (const [conf, paths, changed] of cases) {
  test(`the texts at ${paths.join(', ')} of ${JSON.stringify(conf)} are changed, and no others`, () => {
    const before = structuredClone(conf)
    assert.deepEqual(
      mapFields(conf, paths, (text) => text.toUpperCase()),
      changed,
    )
    assert.deepEqual(conf, before)
  })
}

test('a schema has those of the encrypted fields that begin at one of its properties', () => {
  const plugin = pluginOf('p', 'http', { encryptedFields: ['key', 'auth.secret', 'count.x'] })
  assert.deepEqual(encryptedFieldsOf(plugin, { type: 'object', properties: { auth: {}, other: {} } }), ['auth.secret'])
  assert.deepEqual(encryptedFieldsOf(plugin, plugin.schema), ['key', 'count.x'])
  assert.deepEqual(encryptedFieldsOf(plugin, { type: 'object' }), [])
})
