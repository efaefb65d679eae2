/** Expressions: every operator with its edges, nesting, and the words in which bad ones are refused. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { checkExpression, compileExpression, type Value } from '../../../../src/route/expression.ts'

const values: Readonly<Record<string, Value>> = {
  arg_age: '18',
  arg_hex: '0x12',
  arg_name: 'json',
  arg_empty: '',
  arg_text: 'eighteen',
  arg_padded: ' 18 ',
  remote_addr: '10.1.2.3',
  remote_six: '2001:db8::7',
  http_x_header: 'Value',
  graphql_root_fields: ['owner', 'repo'],
  'post_arg.n': 0.7,
  'post_arg.yes': true,
  'post_arg.ids': [1, 2],
}
const holds = (json: unknown): boolean => compileExpression(json).evaluate((name) => values[name])

const cases: readonly (readonly [string, readonly unknown[], boolean])[] = [
  ['equal text', ['arg_name', '==', 'json'], true],
  ['other text', ['arg_name', '==', 'xml'], false],
  ['a number on the right converts the left', ['arg_age', '==', 18], true],
  ['hexadecimal, as Lua reads it', ['arg_hex', '==', 18], true],
  ['white space around a number', ['arg_padded', '==', 18], true],
  ['text on the right compares as text', ['arg_padded', '==', '18'], false],
  ['text that is no number never equals one', ['arg_text', '==', 18], false],
  ['the empty text is no number', ['arg_empty', '==', 0], false],
  ['an unset variable equals no text', ['arg_none', '==', ''], false],
  ['null means not set', ['arg_none', '==', null], true],
  ['null and a set variable', ['arg_name', '==', null], false],
  ['a truth value equals no text', ['arg_name', '==', true], false],
  ['not equal', ['arg_name', '~=', 'xml'], true],
  ['not equal to itself', ['arg_name', '~=', 'json'], false],
  ['an unset variable is unequal to any text', ['arg_none', '~=', 'x'], true],
  ['no number is unequal to any number', ['arg_text', '~=', 18], true],
  ['set, by not null', ['arg_name', '~=', null], true],
  ['greater', ['arg_age', '>', 17], true],
  ['not greater', ['arg_age', '>', 18], false],
  ['at least', ['arg_age', '>=', 18], true],
  ['less, with text on the right', ['arg_age', '<', '18.5'], true],
  ['not less', ['arg_age', '<', 1e1], false],
  ['at most', ['arg_age', '<=', 18], true],
  ['no number compares', ['arg_text', '<', 100], false],
  ['unset compares with nothing', ['arg_none', '<', 100], false],
  ['no number on the right', ['arg_age', '>', 'x'], false],
  ['pattern found anywhere', ['arg_name', '~~', 's[aeiou]n'], true],
  ['pattern with anchors', ['arg_name', '~~', '^son'], false],
  ['pattern with regard to case', ['arg_name', '~~', 'JSON'], false],
  ['pattern without regard to case', ['arg_name', '~*', 'JSON'], true],
  ['pattern on an unset variable', ['arg_none', '~~', '.*'], false],
  ['in a list', ['arg_name', 'in', ['xml', 'json']], true],
  ['not in a list', ['arg_name', 'in', ['xml']], false],
  ['in compares without conversion', ['arg_age', 'in', [17, 18]], false],
  ['in what is no list', ['arg_name', 'in', 'json'], false],
  ['operators in any case', ['arg_name', 'IN', ['json']], true],
  ['a list has', ['graphql_root_fields', 'has', 'repo'], true],
  ['a list has not', ['graphql_root_fields', 'has', 'user'], false],
  ['text has nothing', ['arg_name', 'has', 'json'], false],
  ['a list equals no text', ['graphql_root_fields', '==', 'owner'], false],
  ['address in a block', ['remote_addr', 'ipmatch', '10.0.0.0/8'], true],
  ['address in a list', ['remote_addr', 'ipmatch', ['192.0.2.0/24', '10.1.2.3']], true],
  ['address in none', ['remote_addr', 'ipmatch', ['192.0.2.0/24']], false],
  ['IPv6 address', ['remote_six', 'ipmatch', ['2001:db8::/32']], true],
  ['no address', ['arg_name', 'ipmatch', ['0.0.0.0/0']], false],
  ['two elements are equality', ['arg_name', 'json'], true],
  ['negation', ['arg_name', '!', '==', 'json'], false],
  ['negation of a comparison with nothing', ['arg_none', '!', '>', 5], true],
  ['an operator with nothing on the right means: not set', ['arg_none', '=='], true],
  ['a set variable and nothing on the right', ['arg_name', '~='], true],
  ['a number equals a number', ['post_arg.n', '==', 0.7], true],
  ['a number equals no text', ['post_arg.n', '==', '0.7'], false],
  ['a number compares', ['post_arg.n', '<', '1'], true],
  ['a number is among numbers', ['post_arg.n', 'in', [0.7, '0.7']], true],
  ['a number is not among texts', ['post_arg.n', 'in', ['0.7']], false],
  ['a number is searched as text', ['post_arg.n', '~~', '^0[.]'], true],
  ['a truth value equals itself', ['post_arg.yes', '==', true], true],
  ['a truth value is no number', ['post_arg.yes', '==', 1], false],
  ['a truth value is not searched', ['post_arg.yes', '~~', 'true'], false],
  ['a list of numbers has a number', ['post_arg.ids', 'has', 2], true],
  ['a list of numbers has no text', ['post_arg.ids', 'has', '2'], false],
  ['a list is not searched', ['graphql_root_fields', '~~', 'owner'], false],
  ['a list is in nothing', ['graphql_root_fields', 'in', ['owner']], false],
  ['a list is set', ['graphql_root_fields', '~=', null], true],
  ['header names are folded', ['http_X-Header', '==', 'Value'], true],
]
for (const [name, condition, expected] of cases) {
  test(`${name}: ${JSON.stringify(condition)} is ${expected}`, () => assert.equal(holds([condition]), expected))
}

const yes = ['arg_name', '==', 'json']
const no = ['arg_name', '==', 'xml']
const nests: readonly (readonly [unknown, boolean])[] = [
  [[], true],
  [[yes, yes], true],
  [[yes, no], false],
  [['OR', no, yes], true],
  [['or', no, no], false],
  [['AND', yes, yes], true],
  [['!OR', no, no], true],
  [['!or', no, yes], false],
  [['!AND', yes, no], true],
  [['!AND', yes, yes], false],
  [['OR', no, ['AND', yes, ['!OR', no, no]]], true],
  [['AND', yes, [no, yes]], false],
  [['OR', no, [yes, yes]], true],
  [[yes, ['OR', no, yes]], true],
  [[['or', '==', 'x']], false],
]
for (const [json, expected] of nests) {
  test(`nesting: ${JSON.stringify(json)} is ${expected}`, () => assert.equal(holds(json), expected))
}

const refused: readonly (readonly [unknown, RegExp])[] = [
  [['arg_name', '==', 'json'], /^rule should be wrapped inside brackets$/],
  [[yes, 'arg_name'], /^rule should be wrapped inside brackets$/],
  ['arg_name', /^rule should be a table$/],
  [{ arg_name: 'json' }, /^rule should be a table$/],
  [[['arg_name', '=', 'json']], /^invalid operator '='$/],
  [[['arg_name', 'constructor', 'json']], /^invalid operator 'constructor'$/],
  [[['arg_name', 7, 'json']], /^invalid operator '7'$/],
  [[['arg_name', 'not', '==', 'json']], /^bad 'not' expression$/],
  [[['arg_name']], /^rule too short$/],
  [[['arg_name', '!', '==', 'x', 'y']], /^rule too long$/],
  [['OR', yes], /^rule too short$/],
  [['AND'], /^rule too short$/],
  [['XOR', yes, no], /^rule should be wrapped inside brackets$/],
  [[['remote_addr', 'ipmatch', '10.0.0.0/33']], /^invalid ip address: 10\.0\.0\.0\/33$/],
  [[['remote_addr', 'ipmatch', []]], /^invalid ip address$/],
  [[['remote_addr', 'ipmatch', '']], /^invalid ip address$/],
  [[['remote_addr', 'ipmatch', [7]]], /^invalid ip address: 7$/],
  [[['uri', '~~', '(?=a)b']], /look-around is not supported/],
  [[['uri', '~~', '(?<!a)b']], /look-around is not supported/],
  [[['uri', '~*', '(a)\\1']], /back-references are not supported/],
  [[['uri', '~~', 'a++']], /possessive quantifiers and atomic groups are not supported/],
  [[['uri', '~~', 'a[']], /^invalid regular expression 'a\[': .*missing closing/],
  [[['uri', '~~', 5]], /a regular expression should be a string/],
  [[['uri', '~~', 'a'.repeat(5000)]], /longer than 4096 characters/],
]
for (const [json, message] of refused) {
  test(`refused: ${JSON.stringify(json).slice(0, 80)}`, () => {
    assert.throws(() => compileExpression(json), { message })
    assert.match(checkExpression(json) ?? '', message)
  })
}

test('an expression tells the variables in it, each once', () => {
  const json = [
    'OR',
    ['uri', '==', 'x'],
    [
      ['http_X-Y', '==', 'z'],
      ['uri', '!', '==', 'y'],
      ['post_arg.a', 'b'],
    ],
  ]
  assert.deepEqual(compileExpression(json).names, ['uri', 'http_x_y', 'post_arg.a'])
  assert.deepEqual(compileExpression([]).names, [])
})

test('checking says nothing of an expression that is right', () => {
  assert.equal(checkExpression([yes]), undefined)
})

test('nesting without end is refused', () => {
  let json: unknown[] = [yes]
  for (let depth = 0; depth < 100; depth += 1) json = [json]
  assert.match(checkExpression(json) ?? '', /nested deeper than 64 levels/)
})

test('a pattern that would take for ever elsewhere takes no time', () => {
  const expression = compileExpression([['x', '~~', '^(a+)+$']])
  const before = performance.now()
  assert.equal(
    expression.evaluate(() => `${'a'.repeat(5000)}b`),
    false,
  )
  assert.ok(performance.now() - before < 2000)
})
