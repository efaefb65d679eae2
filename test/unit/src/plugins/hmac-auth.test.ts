import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { GatewayError } from '../../../../src/errors.ts'
import { hmacAuth } from '../../../../src/plugins/hmac-auth.ts'
import type { TestRequest } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const secret = 'jack-secret'
const consumers = {
  'consumers/jack': { plugins: { 'hmac-auth': { key_id: 'jack-key', secret_key: secret } } },
  'consumers/nobody': {},
}
const bench = (): PluginBench => new PluginBench([hmacAuth], { consumers })
const dateAt = (shiftSeconds = 0): string => new Date(Date.now() + shiftSeconds * 1000).toUTCString()

interface Signing {
  readonly keyId?: string
  readonly key?: string
  readonly algorithm?: string
  readonly target?: string
  readonly method?: string
  /** Signed in this order, and sent. */
  readonly fields?: readonly (readonly [string, string])[]
  readonly asked?: TestRequest
}

function signed(signing: Signing = {}): TestRequest {
  const { keyId = 'jack-key', key = secret, algorithm = 'hmac-sha256', target = '/', method = 'GET' } = signing
  const fields = signing.fields ?? [['date', dateAt()]]
  const lines = [keyId, `${method} ${target}`, ...fields.map(([name, value]) => `${name}: ${value}`)]
  const names = ['@request-target', ...fields.map(([name]) => name)].join(' ')
  const text = lines.map((line) => `${line}\n`).join('')
  const signature = createHmac(algorithm.slice(5), key).update(text).digest('base64')
  const field = `Signature keyId="${keyId}",algorithm="${algorithm}",headers="${names}",signature="${signature}"`
  return { method, target, ...signing.asked, headers: [...fields, ['Authorization', field]] }
}

/** With the Authorization field changed. */
function changed(request: TestRequest, from: string | RegExp, to: string): TestRequest {
  const fields = request.headers as readonly (readonly [string, string])[]
  const headers = fields.map(([name, value]) => [name, name === 'Authorization' ? value.replace(from, to) : value])
  return { ...request, headers: headers as [string, string][] }
}

async function outcome(conf: JsonObject, asked: TestRequest): Promise<readonly [number, string | undefined]> {
  const run = bench()
  const { status, body, exchange } = await run.run({ 'hmac-auth': conf }, asked)
  run.close()
  return [status, status === 200 ? exchange.consumer?.username : (JSON.parse(body) as { message: string }).message]
}

test('a request signed by a known key names its consumer, by each algorithm', async () => {
  for (const algorithm of ['hmac-sha1', 'hmac-sha256', 'hmac-sha512']) {
    assert.deepEqual(await outcome({}, signed({ algorithm })), [200, 'jack'])
  }
  assert.deepEqual(await outcome({}, signed({ method: 'POST', target: '/a/b?x=1&y=%202' })), [200, 'jack'])
  const fields = [
    ['Date', dateAt()],
    ['X-Custom', 'one two'],
  ] as const
  assert.deepEqual(await outcome({ signed_headers: ['date', 'x-custom'] }, signed({ fields })), [200, 'jack'])
})

test('a signature that was made by another program is right here', async () => {
  const date = 'Fri, 21 Nov 2036 10:00:00 GMT'
  // Made with `openssl dgst -sha256 -hmac jack-secret` of the key id, the request target and the date, a line each.
  const signature = 'aZTH2i7MA+5uatbvsEKkA7mduXyyU8pwrmvyygxzh34='
  const field = `Signature keyId="jack-key", algorithm="hmac-sha256", headers="@request-target date", signature="${signature}"`
  const request = { target: '/get', headers: { Date: date, Authorization: field } }
  assert.deepEqual(await outcome({ clock_skew: 1_000_000_000 }, request), [200, 'jack'])
})

test('a malformed field is told, everything else is only refused', async () => {
  const general = "client request can't be validated"
  const told = (reason: string): string => `${general}: ${reason}`
  const good = signed()
  const cases: readonly (readonly [TestRequest, string, JsonObject?])[] = [
    [{}, told('missing Authorization header')],
    [{ headers: { Authorization: 'Basic abc' } }, told("Authorization header does not start with 'Signature'")],
    [{ headers: { Authorization: 'Signature ' } }, told('keyId or signature missing')],
    [changed(good, /algorithm="[^"]*",/, ''), told('algorithm missing')],
    [changed(good, 'hmac-sha256', 'md5'), general],
    [signed({ algorithm: 'hmac-sha1' }), general, { allowed_algorithms: ['hmac-sha256'] }],
    [signed({ keyId: 'other' }), general],
    [signed({ key: 'other' }), general],
    [changed(good, /signature="[^"]*"/, 'signature=""'), general],
    [signed({ fields: [['date', dateAt(-400)]] }), general],
    [signed({ fields: [['date', dateAt(400)]] }), general],
    [signed({ fields: [['date', 'yesterday']] }), general],
    [signed({ fields: [] }), general],
    [signed(), general, { signed_headers: ['date', 'x-custom'] }],
    [changed(good, /headers="[^"]*",/, ''), general],
    [{ ...good, target: '/other' }, general],
    [{ ...good, method: 'PUT' }, general],
  ]
  for (const [asked, message, conf = {}] of cases) assert.deepEqual(await outcome(conf, asked), [401, message])
  const run = bench()
  const { body, headers } = await run.run({ 'hmac-auth': { realm: 'inner' } }, signed({ key: 'other' }))
  assert.equal(body, '{"message":"client request can\'t be validated"}\n')
  assert.equal(headers.get('www-authenticate'), 'hmac realm="inner"')
  run.close()
})

test('a field that is repeated behind the signed one breaks the signature', async () => {
  const request = signed({
    fields: [
      ['date', dateAt()],
      ['x-role', 'guest'],
    ],
  })
  assert.deepEqual(await outcome({}, request), [200, 'jack'])
  const headers = [...(request.headers as [string, string][]), ['X-Role', 'admin']] as [string, string][]
  assert.equal((await outcome({}, { ...request, headers }))[0], 401)
})

test('a wider skew, and no field that must be signed', async () => {
  const late = signed({ fields: [['date', dateAt(-400)]] })
  assert.deepEqual(await outcome({ clock_skew: 500 }, late), [200, 'jack'])
  const request = signed({ fields: [] })
  const headers = [...(request.headers as [string, string][]), ['Date', dateAt()]] as [string, string][]
  assert.deepEqual(await outcome({ signed_headers: [] }, { ...request, headers }), [200, 'jack'])
})

test('the body must fit its digest, when that is asked for', async () => {
  const conf = { validate_request_body: true, max_req_body_size: 10 }
  const digest = (text: string): string => `SHA-256=${createHash('sha256').update(text).digest('base64')}`
  const withBody = (sent: string, of: string, more: Partial<TestRequest> = {}): TestRequest =>
    signed({
      method: 'POST',
      fields: [
        ['date', dateAt()],
        ['digest', digest(of)],
      ],
      asked: { body: sent, ...more },
    })
  assert.deepEqual(await outcome(conf, withBody('hello', 'hello')), [200, 'jack'])
  assert.deepEqual(await outcome(conf, withBody('hello', 'hello', { late: false, chunked: true })), [200, 'jack'])
  assert.equal((await outcome(conf, withBody('hellO', 'hello')))[0], 401)
  assert.equal((await outcome(conf, signed({ method: 'POST', asked: { body: 'hello' } })))[0], 401)
  assert.deepEqual(await outcome({}, withBody('hellO', 'hello')), [200, 'jack'])
  const tooLarge = (error: unknown): boolean => error instanceof GatewayError && error.code === 'body_too_large'
  await assert.rejects(outcome(conf, withBody('hello world', 'hello world')), tooLarge)
})

test('credentials are hidden on demand; who cannot be authenticated is the anonymous consumer', async () => {
  const run = bench()
  const hidden = await run.run({ 'hmac-auth': { hide_credentials: true } }, signed())
  assert.equal(hidden.exchange.request.headers.get('authorization'), undefined)
  const shown = await run.run({ 'hmac-auth': {} }, signed())
  assert.ok(shown.exchange.request.headers.has('authorization'))
  run.close()
  assert.deepEqual(await outcome({ anonymous_consumer: 'nobody' }, {}), [200, 'nobody'])
  assert.deepEqual(await outcome({ anonymous_consumer: 'nobody' }, signed({ key: 'other' })), [200, 'nobody'])
  assert.deepEqual(await outcome({ anonymous_consumer: 'gone' }, {}), [401, 'Invalid user authorization'])
})
