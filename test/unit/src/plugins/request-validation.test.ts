import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { GatewayError } from '../../../../src/errors.ts'
import { requestValidation } from '../../../../src/plugins/request-validation.ts'
import type { TestRequest } from '../../../support/http-exchange.ts'
import { type Passage, PluginBench } from '../../../support/plugin-bench.ts'

async function validated(conf: JsonObject, asked: TestRequest): Promise<Passage> {
  const bench = new PluginBench([requestValidation])
  try {
    return await bench.run({ 'request-validation': conf }, asked)
  } finally {
    bench.close()
  }
}
const json = (body: string, more: TestRequest = {}): TestRequest => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body,
  ...more,
})
const form = (body: string): TestRequest => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' },
  body,
})
const body_schema = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string', minLength: 2 }, age: { type: 'integer' }, role: { default: 'guest' } },
}

test('a body that fits goes on as it was understood, defaults filled in', async () => {
  const { status, exchange } = await validated({ body_schema }, json('{ "name": "a", "name" : "jack", "age": 3 }'))
  assert.equal(status, 200)
  assert.equal(exchange.request.body.text, '{"name":"jack","age":3,"role":"guest"}')
  const kept = await validated({ body_schema: {} }, json('[1, {"a":null}]', { chunked: true, late: false }))
  assert.equal(kept.exchange.request.body.text, '[1,{"a":null}]')
})

test('one that does not is refused with the reason, or with what is configured', async () => {
  const cases: readonly (readonly [TestRequest, RegExp])[] = [
    [json('{"age":3}'), /^property "name" is required$/],
    [json('{"name":"a"}'), /^property "name" validation failed: string too short/],
    [json('{"name":"jack","age":"3"}'), /^property "age" validation failed: wrong type/],
    [json('[]'), /^wrong type: expected object/],
    [json('{"name":'), /JSON/],
  ]
  for (const [asked, reason] of cases) {
    const { status, body, headers } = await validated({ body_schema }, asked)
    assert.equal(status, 400)
    assert.match(body, reason)
    assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
  }
  const own = await validated({ body_schema, rejected_code: 422, rejected_msg: 'no such body' }, json('{}'))
  assert.deepEqual([own.status, own.body], [422, 'no such body'])
})

test('without a body, or with two types of it, nothing but the message is told', async () => {
  const twice: TestRequest = {
    ...json('{"name":"jack"}'),
    headers: [
      ['Content-Type', 'a/b'],
      ['Content-Type', 'a/c'],
    ],
  }
  for (const asked of [{}, { method: 'POST', body: '' }, twice]) {
    const { answer } = await validated({ body_schema }, asked)
    assert.deepEqual(answer, { status: 400 })
    const told = await validated({ body_schema, rejected_msg: 'no' }, asked)
    assert.deepEqual([told.status, told.body], [400, 'no'])
  }
})

test('a form is checked by its names, and goes on as it came', async () => {
  const schema = {
    properties: {
      name: { type: 'string', const: 'jack b' },
      flag: { type: 'boolean' },
      list: { type: 'array', minItems: 2 },
    },
    required: ['name', 'flag', 'list'],
  }
  const text = 'name=jack+b&flag&list=1&list=%32&&=x'
  const { status, exchange } = await validated({ body_schema: schema }, form(text))
  assert.equal(status, 200)
  assert.equal(exchange.request.body.text, text)
  assert.equal((await validated({ body_schema: schema }, form('name=jack+b&flag=&list=1'))).status, 400)
})

test('fields are checked by their names in lower case', async () => {
  const header_schema = {
    required: ['x-token'],
    properties: { 'x-token': { type: 'string', pattern: '^[0-9]+$' }, 'x-list': { type: 'array' } },
  }
  const fields = {
    headers: [
      ['X-Token', '42'],
      ['X-List', 'a'],
      ['x-list', 'b'],
    ],
  } as const
  assert.equal((await validated({ header_schema }, fields)).status, 200)
  assert.equal((await validated({ header_schema }, {})).body, 'property "x-token" is required')
  assert.equal((await validated({ header_schema }, { headers: { 'X-Token': 'a' } })).status, 400)
  const both = await validated({ header_schema, body_schema }, json('{"name":"jack"}'))
  assert.equal(both.body, 'property "x-token" is required')
})

test('a body above the limit fails the exchange', async () => {
  const asked = json('{"name":"jack"}')
  const tooLarge = (error: unknown): boolean => error instanceof GatewayError && error.code === 'body_too_large'
  await assert.rejects(validated({ body_schema, max_req_body_size: 10 }, asked), tooLarge)
})
