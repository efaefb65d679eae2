import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergePatch, replaceAt } from '../../../../src/admin/patch.ts'
import type { Json, JsonObject } from '../../../../src/base/json.ts'

const merges: [what: string, target: JsonObject, patch: JsonObject, expected: JsonObject][] = [
  ['objects merge key by key', { a: { b: 1, c: 2 } }, { a: { c: 3, d: 4 } }, { a: { b: 1, c: 3, d: 4 } }],
  ['arrays are replaced, not joined', { a: [1, 2] }, { a: [3] }, { a: [3] }],
  ['null deletes the key', { a: 1, b: 2 }, { a: null }, { b: 2 }],
  ['null deletes a key inside', { a: { b: 1, c: 2 } }, { a: { b: null } }, { a: { c: 2 } }],
  ['null of a key that is not there is nothing', { a: 1 }, { b: null }, { a: 1 }],
  ['an object over a scalar replaces it', { a: 1 }, { a: { b: 2 } }, { a: { b: 2 } }],
  ['an object over an array replaces it', { a: [1] }, { a: { b: 2 } }, { a: { b: 2 } }],
  ['a scalar over an object replaces it', { a: { b: 1 } }, { a: 2 }, { a: 2 }],
  ['nulls inside a new object are not stored', {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
]
for (const [what, target, patch, expected] of merges) {
  test(`merging: ${what}, and the target is left alone`, () => {
    const before = structuredClone(target)
    assert.deepEqual(mergePatch(target, patch), expected)
    assert.deepEqual(target, before)
  })
}

const replacements: [
  what: string,
  target: JsonObject,
  path: string[],
  value: Json,
  expected: JsonObject | undefined,
][] = [
  ['a member is replaced whole', { a: { b: 1 } }, ['a'], { c: 2 }, { a: { c: 2 } }],
  ['a member inside is replaced', { a: { b: { c: 1 }, d: 2 } }, ['a', 'b'], 5, { a: { b: 5, d: 2 } }],
  ['missing parents are made', {}, ['a', 'b', 'c'], [1], { a: { b: { c: [1] } } }],
  ['a scalar on the way refuses', { a: 1 }, ['a', 'b'], 2, undefined],
  ['an array on the way refuses', { a: [1] }, ['a', '0', 'b'], 2, undefined],
  ['null on the way refuses', { a: null }, ['a', 'b'], 2, undefined],
]
for (const [what, target, path, value, expected] of replacements) {
  test(`replacing at a path: ${what}, and the target is left alone`, () => {
    const before = structuredClone(target)
    assert.deepEqual(replaceAt(target, path, value), expected)
    assert.deepEqual(target, before)
  })
}
