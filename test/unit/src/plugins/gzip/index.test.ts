import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { JsonObject } from '../../../../../src/base/json.ts'
import { echo } from '../../../../../src/plugins/echo.ts'
import { gzip } from '../../../../../src/plugins/gzip/index.ts'
import { responseRewrite } from '../../../../../src/plugins/response-rewrite.ts'
import type { TestRequest } from '../../../../support/http-exchange.ts'
import { type Passage, PluginBench, type UpstreamAnswer } from '../../../../support/plugin-bench.ts'

const page = '<p>hello</p>'.repeat(20)
const html = (more: Record<string, string> = {}): UpstreamAnswer => ({
  headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': String(page.length), ...more },
  body: page,
})
const taking: TestRequest = { headers: { 'Accept-Encoding': 'gzip, deflate' } }

async function pass(conf: JsonObject, asked = taking, answer = html()): Promise<Passage> {
  const bench = new PluginBench([gzip])
  const passage = await bench.run({ gzip: conf }, asked, answer)
  bench.close()
  return passage
}
const isZipped = ({ headers }: Passage): boolean => headers.get('content-encoding') === 'gzip'

test('an answer that a client takes compressed is compressed, and says so', async () => {
  const answer = html({ ETag: '"abc"', 'Accept-Ranges': 'bytes' })
  const { headers, bytes } = await pass({}, taking, answer)
  assert.equal(headers.get('content-encoding'), 'gzip')
  assert.equal(headers.get('content-length'), undefined)
  assert.equal(headers.get('accept-ranges'), undefined)
  assert.equal(headers.get('etag'), 'W/"abc"')
  assert.equal(headers.get('vary'), undefined)
  assert.equal(gunzipSync(bytes).toString(), page)
  assert.ok(bytes.length < page.length / 2)
  const weak = await pass({}, taking, html({ ETag: 'W/"abc"' }))
  assert.equal(weak.headers.get('etag'), 'W/"abc"')
})

test('clients choose by Accept-Encoding', async () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['gzip', true],
    ['GZIP', true],
    ['deflate;q=1, gzip;q=0.5', true],
    ['x-gzip', true],
    ['gzip;q=0', false],
    ['gzip; q=0.000', false],
    ['br', false],
    ['*', false],
    ['gzipped', false],
    ['', false],
  ]
  for (const [accepted, expected] of cases) {
    assert.equal(isZipped(await pass({}, { headers: { 'Accept-Encoding': accepted } })), expected, accepted)
  }
  assert.equal((await pass({}, {})).body, page)
})

test('types, length, version, status, coding and method decide whether it is worth it', async () => {
  const json = { headers: { 'Content-Type': 'application/json' }, body: '{}' }
  const cases: readonly (readonly [string, boolean, JsonObject, TestRequest?, UpstreamAnswer?])[] = [
    ['another type', false, {}, taking, json],
    ['a listed type of unknown length', true, { types: ['text/html', 'Application/JSON'] }, taking, json],
    ['any type', true, { types: '*' }, taking, json],
    ['no type', false, { types: '*' }, taking, { body: page }],
    ['too short', false, { min_length: page.length + 1 }],
    ['just long enough', true, { min_length: page.length }],
    ['HTTP/1.0', false, {}, { ...taking, version: 10 }],
    ['HTTP/1.0 allowed', true, { http_version: 1 }, { ...taking, version: 10 }],
    ['HTTP/2', true, {}, { ...taking, version: 20 }],
    ['HEAD', false, {}, { ...taking, method: 'HEAD' }],
    ['not found', true, {}, taking, { ...html(), status: 404 }],
    ['a part of something', false, {}, taking, { ...html(), status: 206 }],
    ['an error', false, {}, taking, { ...html(), status: 500 }],
    ['compressed already', false, {}, taking, html({ 'Content-Encoding': 'br' })],
    ['not to be changed', false, {}, taking, html({ 'Cache-Control': 'public, no-transform' })],
  ]
  for (const [what, expected, conf, asked, answer] of cases) {
    assert.equal(isZipped(await pass(conf, asked, answer)), expected, what)
  }
})

test('vary is told to all whose answer could have been another', async () => {
  assert.equal((await pass({ vary: true })).headers.get('vary'), 'Accept-Encoding')
  assert.equal((await pass({ vary: true }, {})).headers.get('vary'), 'Accept-Encoding')
  const both = await pass({ vary: true }, taking, html({ Vary: 'Origin' }))
  assert.equal(both.headers.joined('vary'), 'Origin, Accept-Encoding')
  const known = await pass({ vary: true }, taking, html({ Vary: 'accept-encoding' }))
  assert.equal(known.headers.joined('vary'), 'accept-encoding')
  const other = await pass({ vary: true }, taking, { headers: { 'Content-Type': 'image/png' } })
  assert.equal(other.headers.get('vary'), undefined)
})

test('a better level makes less of it, and parts leave as they come', async () => {
  const long = Array.from({ length: 3000 }, (_, at) => `line ${(at * 7919) % 1000} of the page\n`).join('')
  const parts = [long.slice(0, 20_000), long.slice(20_000)]
  const answer = { headers: { 'Content-Type': 'text/html' }, body: parts }
  const [fast, best] = [await pass({ comp_level: 1 }, taking, answer), await pass({ comp_level: 9 }, taking, answer)]
  assert.equal(gunzipSync(fast.bytes).toString(), long)
  assert.equal(gunzipSync(best.bytes).toString(), long)
  assert.ok(best.bytes.length < fast.bytes.length)
})

test('what other plugins make of a body is compressed with it, whatever their priority', async () => {
  const bench = new PluginBench([gzip, echo, responseRewrite])
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{ echo: { before_body: 'before ', after_body: ' behind' } }, `before ${page} behind`],
    [{ 'response-rewrite': { body: 'another' } }, 'another'],
    [{ 'response-rewrite': { filters: [{ regex: 'hello', replace: 'bye' }] } }, page.replace('hello', 'bye')],
  ]
  for (const [others, expected] of cases) {
    const passage = await bench.run({ gzip: {}, ...others }, taking, html())
    assert.deepEqual([isZipped(passage), passage.headers.get('content-length')], [true, undefined])
    assert.equal(gunzipSync(passage.bytes).toString(), expected)
  }
  bench.close()
})
