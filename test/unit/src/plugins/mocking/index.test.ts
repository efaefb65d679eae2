import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../../src/base/json.ts'
import { mocking } from '../../../../../src/plugins/mocking/index.ts'
import type { TestRequest } from '../../../../support/http-exchange.ts'
import { type Passage, PluginBench } from '../../../../support/plugin-bench.ts'

async function mocked(conf: JsonObject, asked: TestRequest = {}): Promise<Passage> {
  const bench = new PluginBench([mocking])
  const passage = await bench.run({ mocking: conf }, asked)
  bench.close()
  return passage
}

test('an example is the answer, with its variables filled in', async () => {
  const { status, headers, body } = await mocked(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of the gateway
    { response_example: '{"a":"$arg_a","b":"${arg_b ?? none}"}' },
    { target: '/?a=1' },
  )
  assert.deepEqual([status, body], [200, '{"a":"1","b":"none"}'])
  assert.equal(headers.get('content-type'), 'application/json;charset=utf8')
  assert.equal(headers.get('x-mock-by'), 'APISIX/3.18.0')
})

test('status, type and fields are as configured', async () => {
  const conf = {
    response_example: 'gone',
    response_status: 410,
    content_type: 'text/plain',
    with_mock_header: false,
    response_headers: { 'X-Path': '$uri', 'X-Count': 2, 'content-type': 'text/x-own' },
  }
  const { status, headers, body } = await mocked(conf, { target: '/a' })
  assert.deepEqual([status, body], [410, 'gone'])
  assert.deepEqual(headers.all('content-type'), ['text/x-own'])
  assert.equal(headers.get('x-mock-by'), undefined)
  assert.deepEqual([headers.get('x-path'), headers.get('x-count')], ['/a', '2'])
})

const schema = {
  type: 'object',
  properties: {
    name: { type: 'string', example: '$arg_name' },
    text: { type: 'string' },
    price: { type: 'number', example: 1.5 },
    ratio: { type: 'number' },
    count: { type: 'Integer', example: 3.9 },
    some: { type: 'integer' },
    on: { type: 'boolean', example: true },
    maybe: { type: 'boolean' },
    list: { type: 'array', items: { type: 'array', items: { type: 'string', example: 'x' } } },
    things: { type: 'array', items: { type: 'object', properties: { id: { type: 'integer' } } } },
    nothing: { type: 'array' },
    other: { type: 'date' },
  },
}

test('a schema is filled with its examples, and by chance elsewhere', async () => {
  const { body, headers } = await mocked({ response_schema: schema }, { target: '/?name=jack' })
  const value = JSON.parse(body) as Record<string, unknown>
  const { name, price, count, on } = value
  assert.deepEqual({ name, price, count, on }, { name: 'jack', price: 1.5, count: 3, on: true })
  assert.match(String(value['text']), /^[a-z]{1,10}$/)
  assert.ok(typeof value['ratio'] === 'number' && value['ratio'] >= 0 && value['ratio'] < 10_000)
  assert.ok(Number.isInteger(value['some']) && (value['some'] as number) >= 1 && (value['some'] as number) <= 10_000)
  assert.equal(typeof value['maybe'], 'boolean')
  const list = value['list'] as string[][]
  assert.ok(list.length >= 1 && list.length <= 3 && list.flat().every((item) => item === 'x'))
  for (const { id } of value['things'] as { id: number }[]) assert.ok(Number.isInteger(id))
  assert.ok(!('nothing' in value) && !('other' in value))
  assert.equal(headers.get('content-type'), 'application/json;charset=utf8')
})

test('as XML the root is data, lists repeat their element, and text is escaped', async () => {
  const properties = {
    a: { type: 'string', example: '1 < 2 & 3' },
    b: { type: 'object', properties: { c: { type: 'boolean', example: false } } },
    'no name': { type: 'integer', example: 1 },
  }
  const { body } = await mocked({ response_schema: { properties }, content_type: 'application/xml' })
  const lines = [
    '<data>',
    '  <a>1 &lt; 2 &amp; 3</a>',
    '  <b>',
    '    <c>false</c>',
    '  </b>',
    '  <no_name>1</no_name>',
    '</data>',
  ]
  assert.equal(body, lines.join('\n'))
  const list = { properties: { a: { type: 'array', items: { type: 'string', example: 'x' } } } }
  const repeated = await mocked({ response_schema: list, content_type: 'text/xml;charset=utf8' })
  assert.match(repeated.body, /^<data>\n(?: {2}<a>x<\/a>\n){1,3}<\/data>$/)
  assert.equal((await mocked({ response_schema: list, content_type: 'text/html' })).body, '')
})

test('a delay is waited for before the answer', async () => {
  const before = performance.now()
  assert.equal((await mocked({ response_example: 'late', delay: 1 })).body, 'late')
  assert.ok(performance.now() - before >= 950)
})
