// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how users write templates
/** Templates and access log formats. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { compileLogFormat } from '../../../../src/base/log-format.ts'
import { compileTemplate } from '../../../../src/base/template.ts'

const values: Readonly<Record<string, string>> = {
  host: 'a.test',
  port: '80',
  empty: '',
  arg_x: 'x y',
  'post_arg.a.b': 'deep',
}
const lookup = (name: string): string | undefined => values[name]

const templates: readonly (readonly [string, string, readonly string[]])[] = [
  ['plain', 'plain', []],
  ['', '', []],
  ['$host', 'a.test', ['host']],
  ['$host:$port', 'a.test:80', ['host', 'port']],
  ['${host}name', 'a.testname', ['host']],
  ['$hostname', '', ['hostname']],
  ['<$none>', '<>', ['none']],
  ['${none ?? else}', 'else', ['none']],
  ['${none??else}', 'else', ['none']],
  ['${ none ?? two words }', 'two words', ['none']],
  ['${host ?? else}', 'a.test', ['host']],
  ['${empty ?? else}', '', ['empty']],
  ['${none ?? }', '', ['none']],
  ['${post_arg.a.b}', 'deep', ['post_arg.a.b']],
  ['\\$host', '$host', []],
  ['\\$$host', '$a.test', ['host']],
  ['\\${host}', '${host}', []],
  ['$', '$', []],
  ['$$host', '$a.test', ['host']],
  ['5$ and $-', '5$ and $-', []],
  ['${host', '${host', []],
  ['${}', '${}', []],
  ['$host$host', 'a.testa.test', ['host']],
  ['$arg_x', 'x y', ['arg_x']],
  ['\\\\n', '\\\\n', []],
]
for (const [text, expected, names] of templates) {
  test(`the template ${JSON.stringify(text)} becomes ${JSON.stringify(expected)}`, () => {
    const template = compileTemplate(text)
    assert.equal(template.render(lookup), expected)
    assert.deepEqual(template.names, names)
  })
}

test('a template takes what a variable holds as it is', () => {
  assert.equal(
    compileTemplate('$x').render(() => '$host \\$ ${y}'),
    '$host \\$ ${y}',
  )
})

const odd = 'a"b\\c\nd\u0001é€😀\u007f'

test('nginx log formats escape bytes by default', () => {
  const format = compileLogFormat('$host [$none] "$odd" $empty|', 'default')
  assert.deepEqual(format.names, ['host', 'none', 'odd', 'empty'])
  const line = format.render((name) => (name === 'odd' ? odd : values[name]))
  assert.equal(line, 'a.test [-] "a\\x22b\\x5Cc\\x0Ad\\x01\\xC3\\xA9\\xE2\\x82\\xAC\\xF0\\x9F\\x98\\x80\\x7F" |')
})

test('nginx log formats escape for JSON strings when told so', () => {
  const line = compileLogFormat('{"a":"$odd","b":"${none}"}', 'json').render((name) =>
    name === 'odd' ? odd : undefined,
  )
  assert.deepEqual(JSON.parse(line), { a: odd, b: '' })
})

test('nginx log formats leave values alone when told so, and text always', () => {
  assert.equal(
    compileLogFormat('"\\$host" $odd', 'none').render((name) => (name === 'odd' ? odd : 'h')),
    `"\\h" ${odd}`,
  )
  assert.equal(compileLogFormat('$ 5$ ${ $-', 'default').render(lookup), '$ 5$ ${ $-')
})
