/** JSONPath: what paths find, what is refused, and that no document can make it costly. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../src/base/json.ts'
import { compileJsonPath } from '../../../../src/base/json-path.ts'

const document: Json = {
  model: 'm1',
  stream: true,
  n: 0.7,
  nothing: null,
  user: { name: 'ann', 'a-b': 1, tags: ['x', 'y'] },
  messages: [
    { role: 'system', content: [{ type: 'text', id: 1 }] },
    {
      role: 'user',
      size: 5,
      content: [
        { type: 'text', id: 2 },
        { type: 'image_url', id: 3 },
      ],
    },
    { role: 'user', size: 12, content: [] },
  ],
}

const found: readonly (readonly [path: string, value: Json | undefined])[] = [
  ['model', 'm1'],
  ['stream', true],
  ['n', 0.7],
  ['nothing', null],
  ['user.name', 'ann'],
  ['user.a-b', 1],
  ['user.tags', ['x', 'y']],
  ['user.none', undefined],
  ['model.length', undefined],
  ['user.toString', undefined],
  ['messages.0', undefined],
  ['messages[0].role', ['system']],
  ['messages[-1].size', [12]],
  ['messages[9].role', undefined],
  ['messages[*].role', ['system', 'user', 'user']],
  ['messages[*].content[*].type', ['text', 'text', 'image_url']],
  ['messages[*].size', [5, 12]],
  ['messages[1:].role', ['user', 'user']],
  ['messages[:2].role', ['system', 'user']],
  ['messages[::2].role', ['system', 'user']],
  ['messages[0,2].role', ['system', 'user']],
  ["user['name']", ['ann']],
  ["['user']['name','a-b']", ['ann', 1]],
  ['user["a-b"]', [1]],
  ['user.*', ['ann', 1, ['x', 'y']]],
  ['..id', [1, 2, 3]],
  ['..content[0].id', [1, 2]],
  ['messages..type', ['text', 'text', 'image_url']],
  ["messages[?(@.role=='user')].size", [5, 12]],
  ["messages[?@.role == 'user' && @.size > 10].size", [12]],
  ['messages[?(@.size)].role', ['user', 'user']],
  ['messages[?(!@.size)].role', ['system']],
  ["messages[?(@.size < 6 || @.role == 'system')].role", ['system', 'user']],
  ['messages[?(@.content[0].id >= 2)].size', [5]],
  ["messages[?((@.size <= 5 || @.size >= 12) && @.role != 'x')].size", [5, 12]],
  ["messages[?(@['role'] == 'system')].content[*].id", [1]],
  ['messages[?(@.size == null)].role', undefined],
]
for (const [path, value] of found) {
  test(`${path} finds ${JSON.stringify(value)}`, () => {
    assert.deepEqual(compileJsonPath(path).find(document), value)
  })
}

const refused: readonly (readonly [path: string, reason: RegExp])[] = [
  ['', /no name/],
  ['.', /no name/],
  ['a[', /a name, a number or \* is needed at 3/],
  ['a[1', /'\]' is needed/],
  ['a[]', /a name, a number or \* is needed/],
  ["a['b]", /a quote is not closed/],
  ['a[*]b', /a dot or a bracket is needed at 5/],
  ['a[*].', /a name is needed/],
  ['a[::0]', /steps are 1 or more/],
  ['a[?(@.b ==)]', /@, a text, a number, true, false or null is needed/],
  ['a[?(@.b == 1]', /'\)' is needed/],
  [`a[?${'('.repeat(100)}@${')'.repeat(100)}]`, /nested too deep/],
  [`a[?${'!'.repeat(100)}@]`, /nested too deep/],
]
for (const [path, reason] of refused) {
  test(`${path.slice(0, 40)} is refused`, () => assert.throws(() => compileJsonPath(path), { message: reason }))
}

test('nothing is found in what is no object or list', () => {
  for (const value of [null, true, 7, 'text']) {
    for (const path of ['a', 'a[*]', '..a', '[0]']) assert.equal(compileJsonPath(path).find(value), undefined)
  }
})

test('a document nested deeper than any stack is gone through', () => {
  const depth = 200_000
  const nested = JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`) as Json
  assert.equal((compileJsonPath('..a').find(nested) as Json[]).length, 10_000)
})

test('no more is found than anybody compares with', () => {
  const wide = Array.from({ length: 50_000 }, (_, id) => ({ id }))
  assert.equal((compileJsonPath('[*].id').find(wide) as Json[]).length, 10_000)
})
