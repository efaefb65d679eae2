/** Variables that look into the body: which they are, what they find, and what they do before it was loaded. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BodyLimits, needsBody, readsBody } from '../../../../src/exchange/body-variables.ts'
import type { VariableValue } from '../../../../src/exchange/variable-value.ts'
import { httpExchange, type TestExchange, type TestRequest } from '../../../support/http-exchange.ts'

const limits: BodyLimits = { readableBytes: 1000, graphqlBytes: 500, collectBytes: 1e6 }

async function loaded(asked: TestRequest, within: BodyLimits = limits): Promise<TestExchange> {
  const exchange = httpExchange({ method: 'POST', ...asked })
  await exchange.bodyVariables.load(within)
  return exchange
}

test('which variables look into the body', () => {
  for (const name of [
    'post_arg_a',
    'post_arg.a',
    'request_body',
    'graphql_name',
    'graphql_operation',
    'graphql_root_fields',
  ]) {
    assert.ok(readsBody(name), name)
  }
  for (const name of ['uri', 'arg_post_arg_a', 'http_request_body', 'graphql', 'graphql_x', 'post_arg', 'resp_body']) {
    assert.ok(!readsBody(name), name)
  }
  assert.equal(needsBody(['uri', 'host']), false)
  assert.equal(needsBody(['uri', 'post_arg.model']), true)
})

const json = { 'Content-Type': 'application/json' }
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const multipart = { 'Content-Type': 'multipart/form-data; boundary=b' }
const chat = JSON.stringify({
  model: 'm1',
  stream: true,
  temperature: 0.7,
  none: null,
  options: { top: 1 },
  messages: [{ content: [{ type: 'text' }] }, { content: [{ type: 'image_url' }, { type: { x: 1 } }] }],
})
const parts = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-4\r\n--b--\r\n'

const found: readonly (readonly [asked: TestRequest, values: Readonly<Record<string, VariableValue>>])[] = [
  [
    { headers: json, body: chat },
    {
      'post_arg.model': 'm1',
      'post_arg.stream': true,
      'post_arg.temperature': 0.7,
      'post_arg.none': undefined,
      'post_arg.gone': undefined,
      'post_arg.options': '{"top":1}',
      'post_arg.options.top': 1,
      'post_arg.messages[*].content[*].type': ['text', 'image_url', '{"x":1}'],
      'post_arg.messages[0].role': undefined,
      'post_arg.messages[': undefined,
      post_arg_model: undefined,
      request_body: chat,
    },
  ],
  [
    { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' }, body: '{"a":"größe"}' },
    { 'post_arg.a': 'größe' },
  ],
  [
    { headers: json, body: '{"a":' },
    { 'post_arg.a': undefined, request_body: '{"a":' },
  ],
  [{ headers: json, body: '"text"' }, { 'post_arg.length': undefined }],
  [
    { headers: json, body: '{"__proto__":{"a":1}}' },
    { 'post_arg.a': undefined, 'post_arg.constructor': undefined },
  ],
  [
    { headers: form, body: 'a=1&b=x+y&a=2&flag&%C3%B6=3' },
    {
      post_arg_a: '1',
      post_arg_b: 'x y',
      post_arg_flag: true,
      post_arg_ö: '3',
      post_arg_none: undefined,
      'post_arg.a': ['1', '2'],
      'post_arg.b': 'x y',
      'post_arg.b.c': undefined,
      request_body: 'a=1&b=x+y&a=2&flag&%C3%B6=3',
    },
  ],
  [
    { headers: multipart, body: parts },
    { 'post_arg.model': 'gpt-4', post_arg_model: undefined },
  ],
  [
    { headers: { 'Content-Type': 'text/plain' }, body: 'a=1' },
    { 'post_arg.a': undefined, post_arg_a: undefined, request_body: 'a=1' },
  ],
  [{ body: 'a=1' }, { 'post_arg.a': undefined, request_body: 'a=1' }],
  [{ headers: json }, { 'post_arg.a': undefined, request_body: undefined }],
  [
    { body: 'query repo { owner { name } repo { created } }' },
    { graphql_name: 'repo', graphql_operation: 'query', graphql_root_fields: ['owner', 'repo'], graphql_x: undefined },
  ],
  [
    { headers: { 'Content-Type': 'application/graphql' }, body: '{ a }' },
    { graphql_name: '', graphql_operation: 'query' },
  ],
  [
    { headers: json, body: '{"query":"mutation M { m }"}' },
    { graphql_name: 'M', graphql_operation: 'mutation' },
  ],
  [{ headers: json, body: '{"x":1}' }, { graphql_name: undefined }],
  [{ headers: json, body: 'query Q { m }' }, { graphql_name: undefined }],
  [{ body: 'AA' }, { graphql_name: undefined, graphql_root_fields: undefined }],
  [{ method: 'PUT', body: '{ a }' }, { graphql_name: undefined }],
  [
    { method: 'GET', target: '/?query=query%20Q%20{a}' },
    { graphql_name: 'Q', graphql_root_fields: ['a'] },
  ],
  [{ method: 'GET', target: '/?query' }, { graphql_name: undefined }],
  [{ method: 'GET', target: '/?q=1' }, { graphql_name: undefined }],
]
for (const [asked, values] of found) {
  describe(JSON.stringify(asked).slice(0, 100), () => {
    for (const [name, value] of Object.entries(values)) {
      test(`${name} is ${JSON.stringify(value)?.slice(0, 60)}`, async () => {
        assert.deepEqual((await loaded(asked)).value(name), value)
        assert.deepEqual(
          (await loaded({ ...asked, chunked: true, late: false })).value(name),
          value,
          'of unknown length',
        )
      })
    }
  })
}

test('as text, lists are JSON', async () => {
  const exchange = await loaded({ body: '{ a b }' })
  assert.equal(exchange.variable('graphql_root_fields'), '["a","b"]')
})

test('a body that is not loaded has no values, and is wanted from then on', async () => {
  for (const name of ['post_arg_a', 'post_arg.a', 'request_body', 'graphql_name']) {
    const exchange = httpExchange({ method: 'POST', headers: form, body: 'a=1' })
    assert.equal(exchange.wantsBody, false)
    exchange.value('uri')
    assert.equal(exchange.wantsBody, false)
    assert.equal(exchange.value(name), undefined)
    assert.ok(exchange.wantsBody, name)
    await exchange.bodyVariables.load(limits)
    if (name.startsWith('post')) assert.equal(exchange.value(name), '1')
  }
})

test('a body is not wanted where its value would not depend on it', () => {
  const without = httpExchange({ method: 'POST', headers: form })
  const get = httpExchange({ target: '/?query={a}', body: 'x' })
  const other = httpExchange({ method: 'POST', headers: json, body: '{}' })
  assert.equal(without.value('post_arg_a'), undefined)
  assert.equal(get.value('graphql_operation'), 'query')
  assert.equal(other.value('post_arg_a'), undefined)
  for (const exchange of [without, get, other]) assert.equal(exchange.wantsBody, false)
})

test('without a body nothing is waited for', () => {
  assert.equal(httpExchange({ method: 'POST' }).bodyVariables.load(limits), undefined)
})

test('a body larger than may be looked into has no values and is not read if it is announced', async () => {
  const body = `a=${'x'.repeat(2000)}`
  const announced = await loaded({ headers: form, body })
  assert.equal(announced.value('post_arg_a'), undefined)
  assert.equal(announced.request.body.received, 0)
  const chunked = await loaded({ headers: form, body, chunked: true })
  assert.equal(chunked.value('post_arg_a'), undefined)
  assert.equal(chunked.request.body.replayable, true)
})

test('at its limit a body still has values; GraphQL has a limit of its own', async () => {
  const body = `a=${'x'.repeat(998)}`
  assert.equal(String((await loaded({ headers: form, body })).value('post_arg_a')).length, 998)
  assert.equal((await loaded({ body: `{ a } #${'x'.repeat(492)}` })).value('graphql_operation'), 'query')
  assert.equal((await loaded({ body: `{ a } #${'x'.repeat(494)}` })).value('graphql_operation'), undefined)
})

test('a body that cannot be collected fails whoever waits for it', async () => {
  const small = { ...limits, collectBytes: 10 }
  await assert.rejects(loaded({ headers: form, body: `a=${'x'.repeat(50)}`, chunked: true }, small), {
    code: 'body_too_large',
  })
})

test('loading again reads nothing again', async () => {
  const exchange = await loaded({ headers: form, body: 'a=1' })
  assert.equal(exchange.bodyVariables.load(limits), undefined)
})

test('a body that a plugin replaces is looked into anew', async () => {
  const exchange = await loaded({ headers: json, body: '{"a":1,"query":"{ x }"}', late: false })
  assert.equal(exchange.value('post_arg.a'), 1)
  assert.deepEqual(exchange.value('graphql_root_fields'), ['x'])
  exchange.request.body.replace(Buffer.from('{"a":2,"query":"{ y }"}'))
  assert.deepEqual(exchange.value('graphql_root_fields'), ['y'])
  assert.equal(exchange.value('post_arg.a'), 2)
  assert.match(exchange.variable('request_body') ?? '', /"a":2/)
})
