/** Expressions: which are well formed, and what is said of the others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../../../src/base/json.ts'
import { expressionFault, varsFault } from '../../../../src/resources/expression-fault.ts'

const good: readonly Json[][] = [
  [],
  [['arg_name', '==', 'json']],
  [['arg_name', 'json']],
  [['http_x', '==', null]],
  [['arg_age', '!', '<', 18]],
  [['arg_a', 'IN', ['a', 'b']]],
  [['remote_addr', 'ipmatch', ['10.0.0.0/8', '::1']]],
  [['remote_addr', 'ipmatch', '127.0.0.1']],
  [['uri', '~~', '^/a(b|c)+$']],
  [['post_arg.messages[*].content[*].type', 'has', 'image_url']],
  [['post_arg.a.b', '==', 1]],
  ['OR', ['a', '==', 1], ['b', '==', 2]],
  ['!and', [['a', '==', 1]], ['or', ['b', '==', 2], ['c', '>', 3]]],
  [
    ['AND', ['a', '==', 1], ['b', '==', 2]],
    ['c', 'has', 'x'],
  ],
]
for (const expression of good) {
  test(`${JSON.stringify(expression)} is well formed`, () => assert.equal(expressionFault(expression), undefined))
}

const bad: readonly (readonly [Json[], string])[] = [
  [['arg_name', '==', 'json'], 'rule should be wrapped inside brackets'],
  [[1], 'rule should be wrapped inside brackets'],
  [[['arg_name', '=', 'json']], "invalid operator '='"],
  [[['arg_name', '*=', 'json']], "invalid operator '*='"],
  [[['arg_age', 'not', '<', 18]], "bad 'not' expression"],
  [[['arg_age']], 'invalid expression'],
  [[[]], 'rule too short'],
  [['OR', ['a', '==', 1]], 'rule too short'],
  [[['a', '==', 1], 'b'], 'invalid expression'],
  [[['remote_addr', 'ipmatch', '']], 'invalid ip address'],
  [[['remote_addr', 'ipmatch', []]], 'invalid ip address'],
  [[['remote_addr', 'ipmatch']], 'invalid ip address'],
  [[['remote_addr', 'ipmatch', ['10.0.0.0/40']]], 'invalid ip address: 10.0.0.0/40'],
]
for (const [expression, message] of bad) {
  test(`${JSON.stringify(expression)} is refused: ${message}`, () => {
    assert.equal(expressionFault(expression), message)
  })
}

test('a pattern that looks around or back is refused, and named', () => {
  for (const pattern of ['(?=a)b', '(?<!a)b', '(a)\\1', '(']) {
    assert.ok(
      expressionFault([['uri', '~~', pattern]])?.startsWith(`invalid regular expression '${pattern}': `),
      pattern,
    )
  }
})

test('a pattern that looks around or back is called that, one that is too long too', () => {
  assert.match(expressionFault([['uri', '~~', '(?=a)b']]) ?? '', /: look-around is not supported$/)
  assert.match(expressionFault([['uri', '~*', '(a)\\1']]) ?? '', /: back-references are not supported$/)
  assert.match(expressionFault([['uri', '~~', 'a'.repeat(5000)]]) ?? '', /longer than 4096 characters$/)
})

test('a path into the body that is none is refused, however deep it stands', () => {
  const bad: Json[] = ['post_arg.messages[*', '==', 'x']
  for (const expression of [[bad], ['OR', [['a', '==', 1], bad], ['b', '==', 2]], [['post_arg.a[]', '!', '==', 1]]]) {
    assert.match(expressionFault(expression as Json[]) ?? '', /^invalid expression '/)
  }
})

test('a pattern must be a text', () => {
  assert.match(expressionFault([['uri', '~*', 1]]) ?? '', /^invalid regular expression/)
})

test('nesting has a limit', () => {
  let expression: Json[] = [['a', '==', 1]]
  for (let depth = 0; depth < 100_000; depth++) expression = [expression]
  assert.equal(expressionFault(expression), 'nested more than 64 levels deep')
})

test('clients see where the fault is', () => {
  assert.equal(varsFault([['a', '=', 1]]), "failed to validate the 'vars' expression: invalid operator '='")
  assert.equal(varsFault([]), undefined)
  assert.equal(varsFault(undefined), undefined)
})
