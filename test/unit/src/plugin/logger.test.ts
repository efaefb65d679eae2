import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../../src/base/json.ts'
import { type LogConf, logAttributes } from '../../../../src/plugin/log-attributes.ts'
import type { LogEntry } from '../../../../src/plugin/log-entry.ts'
import { loggerPhases } from '../../../../src/plugin/logger.ts'
import type { Plugin } from '../../../../src/plugin/plugin.ts'
import { httpExchange, type TestRequest } from '../../../support/http-exchange.ts'
import { PluginBench, type UpstreamAnswer } from '../../../support/plugin-bench.ts'

/** What a logger of this configuration writes of one exchange, as JSON has it. */
async function entryOf(
  conf: object,
  asked: TestRequest = {},
  upstream: UpstreamAnswer = {},
  metadata: Record<string, JsonObject> = {},
): Promise<JsonObject> {
  const written: LogEntry[] = []
  const logger: Plugin<LogConf> = {
    name: 'http-logger',
    priority: 410,
    version: 1,
    subsystem: 'http',
    schema: { type: 'object', properties: { ...logAttributes } },
    create: (own, build) =>
      loggerPhases(
        own,
        build,
        (entry) => void written.push(entry),
        () => {},
      ),
  }
  const bench = new PluginBench([logger], { metadata })
  const exchange = httpExchange(asked)
  exchange.route = { id: '7', name: 'shop', serviceId: '3', labels: undefined }
  await bench.run({ 'http-logger': { ...conf } }, exchange, upstream)
  bench.close()
  assert.equal(written.length, 1)
  return JSON.parse(JSON.stringify(written[0])) as JsonObject
}

test('a format gives its members, variables by a dollar, and the ids of route and service', async () => {
  const log_format = { host: '$host', text: 'a $b', none: '$arg_x', deep: { er: { uri: '$uri' } } }
  assert.deepEqual(await entryOf({ log_format }, { target: '/a', host: 'h.test' }), {
    host: 'h.test',
    text: 'a $b',
    deep: { er: { uri: '/a' } },
    route_id: '7',
    service_id: '3',
  })
})

test('the format of the plugin beats that of the metadata, and an empty one there is none', async () => {
  const metadata = { 'http-logger': { log_format: { a: 'metadata' } } }
  assert.equal((await entryOf({ log_format: { a: 'own' } }, {}, {}, metadata))['a'], 'own')
  assert.equal((await entryOf({}, {}, {}, metadata))['a'], 'metadata')
  assert.ok('request' in (await entryOf({}, {}, {}, { 'http-logger': { log_format: {} } })))
})

test('extra members are added to the default entry and replace none', async () => {
  const entry = await entryOf(
    { log_format_extra: { tenant: '$http_x', route_id: 'no', consumer: 'c' } },
    { headers: { X: 't' } },
  )
  assert.deepEqual([entry['tenant'], entry['route_id'], entry['consumer']], ['t', '7', 'c'])
})

test('fields and arguments that come several times are lists; odd names harm nothing', async () => {
  const headers: [string, string][] = [
    ['X-A', '1'],
    ['x-a', '2'],
  ]
  const { request } = await entryOf({}, { target: '/?a=1&a=2&b&c=%zz+d&__proto__=x', headers })
  const { querystring, headers: fields } = request as { querystring: JsonObject; headers: JsonObject }
  assert.deepEqual(Object.entries(querystring), [
    ['a', ['1', '2']],
    ['b', true],
    ['c', '%zz d'],
    ['__proto__', 'x'],
  ])
  assert.deepEqual(fields['x-a'], ['1', '2'])
})

const bodies: readonly [what: string, conf: object, request: Json, response: Json][] = [
  ['none without being asked for', {}, null, null],
  ['both whole', { include_req_body: true, include_resp_body: true }, 'question', 'answer'],
  [
    'both cut',
    { include_req_body: true, include_resp_body: true, max_req_body_bytes: 3, max_resp_body_bytes: 2 },
    'que',
    'an',
  ],
  [
    'only where the expressions hold',
    {
      include_req_body: true,
      include_req_body_expr: [['request_method', '==', 'GET']],
      include_resp_body: true,
      include_resp_body_expr: [['status', '==', 201]],
    },
    null,
    'answer',
  ],
]
for (const [what, conf, question, answer] of bodies) {
  test(`bodies in the entry: ${what}`, async () => {
    const asked = { method: 'POST', body: ['ques', 'tion'] }
    const entry = await entryOf(conf, asked, { status: 201, body: ['ans', 'wer'] })
    const { request, response } = entry as { request: JsonObject; response: JsonObject }
    assert.deepEqual([request['body'] ?? null, response['body'] ?? null], [question, answer])
  })
}

test('a format may show the bodies', async () => {
  const conf = { log_format: { sent: '$request_body', got: '$resp_body' }, include_resp_body: true }
  const entry = await entryOf(conf, { method: 'POST', body: 'question' }, { body: 'answer' })
  assert.deepEqual([entry['sent'], entry['got']], ['question', 'answer'])
})
