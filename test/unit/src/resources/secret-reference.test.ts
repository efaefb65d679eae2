/** References to secrets: which are known, what they stand for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  findSecretReference,
  isReference,
  resolveReference,
  resolveReferences,
  secretReferenceRefusal,
} from '../../../../src/resources/secret-reference.ts'

const environment = (name: string) => ({ KEY: 'abc', PAIR: '{"key":"k","n":1}' })[name]

test('three spellings are references, everything else is text', () => {
  for (const text of ['$env://A', '$ENV://A/b', '$secret://vault/1/a']) assert.equal(isReference(text), true, text)
  for (const text of ['', 'env://A', '$Env://A', '$host', 'x$env://A']) assert.equal(isReference(text), false, text)
})

test('an environment reference stands for the variable, or a field of the object in it', () => {
  assert.equal(resolveReference('$env://KEY', environment), 'abc')
  assert.equal(resolveReference('$ENV://PAIR/key', environment), 'k')
  assert.equal(resolveReference('plain', environment), 'plain')
})

test('what cannot be resolved is undefined', () => {
  for (const text of ['$env://NONE', '$env://KEY/field', '$env://PAIR/n', '$env://PAIR/x', '$secret://vault/1/a']) {
    assert.equal(resolveReference(text, environment), undefined, text)
  }
})

test('references are resolved at every depth, in a copy; the others stay as text', () => {
  const value = { a: ['$env://KEY', 1, null], b: { c: '$env://NONE' } }
  assert.deepEqual(resolveReferences(value, environment), { a: ['abc', 1, null], b: { c: '$env://NONE' } })
  assert.deepEqual(value.a[0], '$env://KEY')
})

test('a reference to a secret manager is found with its path', () => {
  const plugins = { 'key-auth': { list: ['a', { key: '$secret://vault/1/a' }] } }
  assert.equal(findSecretReference(plugins, 'plugins'), 'plugins.key-auth.list.1.key')
  assert.equal(findSecretReference({ a: '$env://KEY' }, ''), undefined)
  assert.equal(findSecretReference(undefined, ''), undefined)
  assert.equal(
    secretReferenceRefusal({ cert: '$secret://aws/1/a' }, ''),
    'cert: references to secret managers are not built in this version',
  )
})
