/** Authentication in a whole gateway: who calls, what that changes for the route, what refusals look like, what is refused when written. */
import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import type { JsonObject } from '../../src/base/json.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import type { AskOptions, Reply } from '../support/http-ask.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: HttpBackend
const { put, remove } = resourcesOf(() => gateway)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = String(rsa.publicKey.export({ type: 'spki', format: 'pem' }))

before(async () => {
  backend = await httpBackend({
    answer: ({ url, headers, body }, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ url, headers, body: body.toString() }))
    },
  })
  gateway = await startTestGateway()
  const jack = {
    'key-auth': { key: 'jack-key' },
    'basic-auth': { username: 'jack', password: 'open: sesame' },
    'jwt-auth': { key: 'jack-jwt', secret: 'jack-secret' },
    'hmac-auth': { key_id: 'jack-id', secret_key: 'jack-hmac' },
  }
  await put('/consumer_groups/staff', { plugins: { 'response-rewrite': { headers: { set: { 'X-Group': 'staff' } } } } })
  await put('/consumers/jack', { username: 'jack', plugins: jack, labels: { custom_id: '42' } })
  await put('/consumers/rose', { username: 'rose', group_id: 'staff' })
  await put('/consumers/rose/credentials/k1', { plugins: { 'key-auth': { key: 'rose-key' } } })
  await put('/consumers/rose/credentials/j1', {
    plugins: { 'jwt-auth': { key: 'rose-jwt', algorithm: 'RS256', public_key: publicPem } },
  })
  await put('/consumers/guest', {
    username: 'guest',
    plugins: { 'response-rewrite': { headers: { set: { 'X-Group': 'guests' } } } },
  })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
})

/** A route of these plugins at `path`, in force. */
async function route(path: string, plugins: JsonObject): Promise<void> {
  const id = path.slice(1)
  await put(`/routes/${id}`, { uri: path, plugins, upstream: { nodes: { [backend.node]: 1 } } })
  await until(async () => (await gateway.ask('http', path)).status !== 404, { what: `${path} in force` })
}
const ask = (path: string, headers: Record<string, string> = {}, more: AskOptions = {}): Promise<Reply> =>
  gateway.ask('http', path, { headers, ...more })
const callerOf = ({ body }: Reply): unknown =>
  (body as { headers?: Record<string, string> }).headers?.['x-consumer-username']
const basic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})
const sign = (claims: JsonObject, alg: string, key: Uint8Array | KeyObject): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(key)

async function refused(reply: Promise<Reply>, status: number, body: string, challenge?: string): Promise<void> {
  const { status: got, body: text, headers } = await reply
  assert.deepEqual([got, text, headers['www-authenticate']], [status, body, challenge])
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
}

test('key-auth: by field and argument, by consumer and credential', async () => {
  await route('/key', { 'key-auth': { hide_credentials: true } })
  const byField = await ask('/key', { apikey: 'jack-key', 'x-consumer-username': 'forged' })
  assert.deepEqual([byField.status, callerOf(byField)], [200, 'jack'])
  const seen = (byField.body as { headers: Record<string, string> }).headers
  assert.deepEqual([seen['x-consumer-custom-id'], seen['apikey']], ['42', undefined])
  const byQuery = await ask('/key?a=1&apikey=rose-key')
  assert.equal((byQuery.body as { url: string }).url, '/key?a=1')
  assert.equal((byQuery.body as { headers: Record<string, string> }).headers['x-credential-identifier'], 'k1')
  const challenge = 'apikey realm="key"'
  await refused(ask('/key'), 401, '{"message":"Missing API key in request"}\n', challenge)
  await refused(ask('/key', { apikey: 'x' }), 401, '{"message":"Invalid API key in request"}\n', challenge)
})

test('basic-auth: a password may have blanks and colons', async () => {
  await route('/basic', { 'basic-auth': {} })
  assert.equal(callerOf(await ask('/basic', basic('jack:open: sesame'))), 'jack')
  const challenge = 'Basic realm="basic"'
  await refused(ask('/basic'), 401, '{"message":"Missing authorization in request"}\n', challenge)
  const scheme = ask('/basic', { authorization: 'Bearer x' })
  await refused(scheme, 401, '{"message":"Invalid authorization in request"}\n', challenge)
  for (const wrong of ['jack:other', 'other:open: sesame']) {
    await refused(ask('/basic', basic(wrong)), 401, '{"message":"Invalid user authorization"}\n', challenge)
  }
})

test('jwt-auth: shared secrets and public keys, each token by the key of its own consumer', async () => {
  await route('/jwt', { 'jwt-auth': {} })
  const secret = Buffer.from('jack-secret')
  const jack = await sign({ key: 'jack-jwt' }, 'HS256', secret)
  const rose = await sign({ key: 'rose-jwt' }, 'RS256', rsa.privateKey)
  assert.equal(callerOf(await ask('/jwt', { authorization: `Bearer ${jack}` })), 'jack')
  assert.equal(callerOf(await ask(`/jwt?jwt=${rose}`)), 'rose')
  assert.equal(callerOf(await ask('/jwt', { cookie: `jwt=${jack}` })), 'jack')
  const stale = await sign({ key: 'jack-jwt', exp: Math.floor(Date.now() / 1000) - 10 }, 'HS256', secret)
  const confused = await sign({ key: 'rose-jwt' }, 'HS256', Buffer.from(publicPem))
  for (const [token, message] of [
    [undefined, 'Missing JWT token in request'],
    ['a.b', 'JWT token invalid'],
    [await sign({ sub: 'a' }, 'HS256', secret), 'missing user key in JWT token'],
    [await sign({ key: 'a' }, 'HS256', secret), 'Invalid user key in JWT token'],
    [stale, 'failed to verify jwt'],
    [confused, 'failed to verify jwt'],
  ] as const) {
    const asked = ask('/jwt', token === undefined ? {} : { authorization: token })
    await refused(asked, 401, `{"message":"${message}"}\n`, 'Bearer realm="jwt"')
  }
})

test('hmac-auth: the request line, fields and the body are signed', async () => {
  await route('/hmac', {
    'hmac-auth': { validate_request_body: true, max_req_body_size: 100, signed_headers: ['digest'] },
  })
  const signed = (target: string, body: string, key = 'jack-hmac'): Record<string, string> => {
    const fields = {
      date: new Date().toUTCString(),
      digest: `SHA-256=${createHash('sha256').update(body).digest('base64')}`,
    }
    const lines = ['jack-id', `POST ${target}`, `date: ${fields.date}`, `digest: ${fields.digest}`, '']
    const signature = createHmac('sha256', key).update(lines.join('\n')).digest('base64')
    const members = [
      'keyId="jack-id"',
      'algorithm="hmac-sha256"',
      'headers="@request-target date digest"',
      `signature="${signature}"`,
    ]
    return { ...fields, authorization: `Signature ${members.join(',')}` }
  }
  const send = (target: string, headers: Record<string, string>, body: string): Promise<Reply> =>
    ask(target, headers, { method: 'POST', body })
  const good = await send('/hmac?a=1', signed('/hmac?a=1', 'hello'), 'hello')
  assert.deepEqual([callerOf(good), (good.body as { body: string }).body], ['jack', 'hello'])
  const general = '{"message":"client request can\'t be validated"}\n'
  const challenge = 'hmac realm="hmac"'
  await refused(send('/hmac?a=2', signed('/hmac?a=1', 'hello'), 'hello'), 401, general, challenge)
  await refused(send('/hmac', signed('/hmac', 'hello'), 'other'), 401, general, challenge)
  await refused(send('/hmac', signed('/hmac', 'hello', 'guessed'), 'hello'), 401, general, challenge)
  const told = '{"message":"client request can\'t be validated: missing Authorization header"}\n'
  await refused(send('/hmac', {}, 'hello'), 401, told, challenge)
  const large = 'x'.repeat(101)
  assert.equal((await send('/hmac', signed('/hmac', large), large)).status, 413)
})

test('consumer-restriction: who is known may still be kept out', async () => {
  await route('/restricted', { 'key-auth': {}, 'consumer-restriction': { whitelist: ['jack'] } })
  assert.equal((await ask('/restricted', { apikey: 'jack-key' })).status, 200)
  const rose = ask('/restricted', { apikey: 'rose-key' })
  await refused(rose, 403, '{"message":"The consumer_name is forbidden."}\n')
  await route('/groups', {
    'key-auth': {},
    'consumer-restriction': { type: 'consumer_group_id', blacklist: ['staff'], rejected_msg: 'no staff' },
  })
  assert.equal((await ask('/groups', { apikey: 'rose-key' })).status, 403)
})

test('plugins of a consumer and of its group run for its requests, and of the anonymous one for strangers', async () => {
  await route('/merged', {
    'key-auth': { anonymous_consumer: 'guest' },
    'response-rewrite': { headers: { set: { 'X-Group': 'none' } } },
  })
  const groupOf = async (headers: Record<string, string>): Promise<unknown> => {
    const reply = await ask('/merged', headers)
    return [reply.status, callerOf(reply), reply.headers['x-group']]
  }
  assert.deepEqual(await groupOf({ apikey: 'jack-key' }), [200, 'jack', 'none'])
  assert.deepEqual(await groupOf({ apikey: 'rose-key' }), [200, 'rose', 'staff'])
  assert.deepEqual(await groupOf({}), [200, 'guest', 'guests'])
  await remove('/consumers/guest')
  await until(async () => (await ask('/merged')).status === 401, { what: 'the end of the guest' })
  await refused(ask('/merged'), 401, '{"message":"Invalid user authorization"}\n')
})

test('a consumer that is changed or gone is so for the next request', async () => {
  await route('/live', { 'key-auth': {} })
  await put('/consumers/temp', { username: 'temp', plugins: { 'key-auth': { key: 'one' } } })
  await until(async () => (await ask('/live', { apikey: 'one' })).status === 200, { what: 'the first key' })
  await put('/consumers/temp', { username: 'temp', plugins: { 'key-auth': { key: 'two' } } })
  await until(async () => (await ask('/live', { apikey: 'two' })).status === 200, { what: 'the second key' })
  assert.equal((await ask('/live', { apikey: 'one' })).status, 401)
  await remove('/consumers/temp')
  await until(async () => (await ask('/live', { apikey: 'two' })).status === 401, { what: 'no key' })
})

test('configurations that cannot be are refused with plugin, path and reason', async () => {
  const onRoute: readonly (readonly [string, JsonObject, string])[] = [
    ['key-auth', { header: 1 }, 'property "header" validation failed: wrong type: expected string, got number'],
    ['jwt-auth', { claims_to_verify: ['sub'] }, 'property "claims_to_verify" validation failed'],
    ['hmac-auth', { clock_skew: 0 }, 'property "clock_skew" validation failed: expected 0 to be at least 1'],
  ]
  for (const [plugin, conf, part] of onRoute) {
    const { status, body } = await gateway.admin('PUT', '/routes/bad', { uri: '/bad', plugins: { [plugin]: conf } })
    const { error_msg: message } = body as { error_msg: string }
    assert.equal(status, 400)
    assert.ok(message.includes(`failed to check the configuration of plugin ${plugin} err: `), message)
    assert.ok(message.includes(part.split(': wrong')[0] as string), message)
  }
  const onConsumer: readonly (readonly [string, JsonObject, string])[] = [
    ['jwt-auth', { key: 'a' }, 'property "secret" is required when using HS based algorithms'],
    ['jwt-auth', { key: 'a', algorithm: 'ES256' }, 'missing valid public key'],
    ['hmac-auth', { key_id: 'a' }, 'property "secret_key" is required'],
    ['key-auth', { key: 'jack-key' }, 'duplicate'],
  ]
  for (const [plugin, conf, part] of onConsumer) {
    const { status, body } = await gateway.admin('PUT', '/consumers/bad', {
      username: 'bad',
      plugins: { [plugin]: conf },
    })
    const { error_msg: message } = body as { error_msg: string }
    assert.equal(status, 400)
    assert.ok(message.toLowerCase().includes(part.toLowerCase()), message)
  }
})
