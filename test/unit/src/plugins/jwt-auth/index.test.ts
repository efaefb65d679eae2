import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { CompactSign, SignJWT } from 'jose'
import type { JsonObject } from '../../../../../src/base/json.ts'
import { jwtAuth } from '../../../../../src/plugins/jwt-auth/index.ts'
import type { TestRequest } from '../../../../support/http-exchange.ts'
import { PluginBench } from '../../../../support/plugin-bench.ts'

const secret = 'a-secret-of-jack'
const now = (): number => Math.floor(Date.now() / 1000)
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pemOf = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }))

const consumers: Record<string, JsonObject> = {
  'consumers/jack': { plugins: { 'jwt-auth': { key: 'jack', secret } } },
  'consumers/rose': { plugins: { 'jwt-auth': { key: 'rose', secret, algorithm: 'HS512', lifetime_grace_period: 60 } } },
  'consumers/ann': { plugins: { 'jwt-auth': { key: 'ann', secret: 'AQIDBAU=', base64_secret: true } } },
  'consumers/rsa': { plugins: { 'jwt-auth': { key: 'rsa', algorithm: 'RS256', public_key: pemOf(rsa.publicKey) } } },
  'consumers/nobody': {},
}
const bench = (): PluginBench => new PluginBench([jwtAuth], { consumers })

const sign = (claims: JsonObject, alg = 'HS256', key: Uint8Array | KeyObject = Buffer.from(secret)): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT' }).sign(key)
const bearing = (token: string): TestRequest => ({ headers: { Authorization: `Bearer ${token}` } })

async function outcome(conf: JsonObject, asked: TestRequest): Promise<readonly [number, string | undefined]> {
  const run = bench()
  const { status, body, exchange } = await run.run({ 'jwt-auth': conf }, asked)
  run.close()
  return [status, status === 200 ? exchange.consumer?.username : (JSON.parse(body) as { message: string }).message]
}

test('a token in the field, the query or a cookie names the consumer, in that order', async () => {
  const jack = await sign({ key: 'jack' })
  const rose = await sign({ key: 'rose' }, 'HS512')
  const cases: readonly (readonly [TestRequest, string])[] = [
    [{ headers: { Authorization: jack } }, 'jack'],
    [bearing(jack), 'jack'],
    [{ headers: { Authorization: `bearer ${jack}` } }, 'jack'],
    [{ target: `/?a=1&jwt=${rose}` }, 'rose'],
    [{ headers: { Cookie: `a=1; jwt=${jack}` } }, 'jack'],
    [{ target: `/?jwt=${rose}`, headers: { Cookie: `jwt=${jack}` } }, 'rose'],
    [{ target: `/?jwt=${rose}`, headers: { Authorization: jack } }, 'jack'],
  ]
  for (const [asked, username] of cases) assert.deepEqual(await outcome({}, asked), [200, username])
  const named = { header: 'X-Token', query: 'q', cookie: 'c' }
  assert.deepEqual(await outcome(named, { headers: { 'x-token': jack } }), [200, 'jack'])
  assert.deepEqual(await outcome(named, { target: `/?q=${jack}` }), [200, 'jack'])
  assert.deepEqual(await outcome(named, { headers: { Cookie: `c=${jack}` } }), [200, 'jack'])
  assert.deepEqual(await outcome(named, bearing(jack)), [401, 'Missing JWT token in request'])
})

test('each way of being wrong has its own message', async () => {
  const good = await sign({ key: 'jack' })
  const [head = '', payload = ''] = good.split('.')
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hmac = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url')
  const critical = `${part({ alg: 'HS256', crit: ['x'], x: 1 })}.${payload}`
  const cases: readonly (readonly [TestRequest, string])[] = [
    [{}, 'Missing JWT token in request'],
    [{ headers: { Authorization: '' } }, 'Missing JWT token in request'],
    [bearing('abc'), 'JWT token invalid'],
    [bearing('a.b.c'), 'JWT token invalid'],
    [bearing(`${head}.${part('text')}.x`), 'JWT token invalid'],
    [bearing(await sign({ user: 'jack' })), 'missing user key in JWT token'],
    [bearing(await sign({ key: 'other' })), 'Invalid user key in JWT token'],
    [bearing(await sign({ key: 42 })), 'Invalid user key in JWT token'],
    [bearing(await sign({ key: 'jack' }, 'HS256', Buffer.from('another'))), 'failed to verify jwt'],
    [bearing(await sign({ key: 'jack' }, 'HS384')), 'failed to verify jwt'],
    [bearing(`${part({ alg: 'none' })}.${payload}.`), 'failed to verify jwt'],
    [bearing(`${head}.${payload}.`), 'failed to verify jwt'],
    [bearing(`${critical}.${hmac(critical)}`), 'failed to verify jwt'],
    // The public key taken for a shared secret.
    [bearing(await sign({ key: 'rsa' }, 'HS256', Buffer.from(pemOf(rsa.publicKey)))), 'failed to verify jwt'],
  ]
  for (const [asked, message] of cases) assert.deepEqual(await outcome({}, asked), [401, message])
  const run = bench()
  const { body, headers } = await run.run({ 'jwt-auth': { realm: 'inner' } })
  assert.equal(body, '{"message":"Missing JWT token in request"}\n')
  assert.equal(headers.get('www-authenticate'), 'Bearer realm="inner"')
  run.close()
})

test('tokens of every algorithm are verified by the key of their consumer', async () => {
  const pairs: readonly (readonly [readonly string[], { publicKey: KeyObject; privateKey: KeyObject }])[] = [
    [['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'], rsa],
    [['ES256'], generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    [['ES384'], generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    [['ES512'], generateKeyPairSync('ec', { namedCurve: 'P-521' })],
    [['EdDSA'], generateKeyPairSync('ed25519')],
  ]
  for (const [algorithms, { publicKey, privateKey }] of pairs) {
    for (const algorithm of algorithms) {
      const credential = { key: 'k', algorithm, public_key: pemOf(publicKey) }
      const run = new PluginBench([jwtAuth], { consumers: { 'consumers/k': { plugins: { 'jwt-auth': credential } } } })
      const token = await sign({ key: 'k' }, algorithm, privateKey)
      assert.equal((await run.run({ 'jwt-auth': {} }, bearing(token))).status, 200, algorithm)
      const cut = token.lastIndexOf('.') + 1
      const forged = token.slice(0, cut) + (token[cut] === 'A' ? 'B' : 'A') + token.slice(cut + 1)
      assert.equal((await run.run({ 'jwt-auth': {} }, bearing(forged))).status, 401, algorithm)
      run.close()
    }
  }
  for (const algorithm of ['HS256', 'HS384', 'HS512']) {
    const credential = { key: 'k', algorithm, secret }
    const run = new PluginBench([jwtAuth], { consumers: { 'consumers/k': { plugins: { 'jwt-auth': credential } } } })
    assert.equal((await run.run({ 'jwt-auth': {} }, bearing(await sign({ key: 'k' }, algorithm)))).status, 200)
    run.close()
  }
  const binary = await sign({ key: 'ann' }, 'HS256', Uint8Array.of(1, 2, 3, 4, 5))
  assert.deepEqual(await outcome({}, bearing(binary)), [200, 'ann'])
})

test('times are verified when they are there, and must be there when they are listed', async () => {
  const refused = [401, 'failed to verify jwt'] as const
  const t = now()
  const cases: readonly (readonly [JsonObject, JsonObject, string?])[] = [
    [{}, { key: 'jack', exp: t + 60, nbf: t - 60 }, 'jack'],
    [{}, { key: 'jack', exp: t - 30 }],
    [{}, { key: 'jack', nbf: t + 30 }],
    [{}, { key: 'jack', exp: 'soon' }],
    [{}, { key: 'jack', nbf: null }],
    [{}, { key: 'rose', exp: t - 30, nbf: t + 30 }, 'rose'],
    [{}, { key: 'rose', exp: t - 90 }],
    [{ claims_to_verify: ['exp'] }, { key: 'jack' }],
    [{ claims_to_verify: ['exp'] }, { key: 'jack', exp: t + 60, nbf: t + 60 }, 'jack'],
    [{ claims_to_verify: ['exp', 'nbf'] }, { key: 'jack', exp: t + 60 }],
  ]
  for (const [conf, claims, username] of cases) {
    const alg = claims['key'] === 'rose' ? 'HS512' : 'HS256'
    const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg })
      .sign(Buffer.from(secret))
    assert.deepEqual(await outcome(conf, bearing(token)), username === undefined ? refused : [200, username])
  }
})

test('hidden tokens do not reach the endpoint; another claim may hold the key; claims are kept when asked for', async () => {
  const run = bench()
  const token = await sign({ key: 'jack', iss: 'rose' })
  const hiding = { 'jwt-auth': { hide_credentials: true, store_in_ctx: true } }
  const byField = await run.run(hiding, bearing(token))
  assert.equal(byField.exchange.request.headers.get('authorization'), undefined)
  assert.deepEqual(JSON.parse(byField.exchange.variable('jwt_auth_payload') ?? ''), { key: 'jack', iss: 'rose' })
  const byQuery = await run.run(hiding, { target: `/?a=1&jwt=${token}&b=jwt` })
  assert.equal(byQuery.exchange.request.query, 'a=1&b=jwt')
  const byCookie = await run.run(hiding, { headers: { Cookie: `a=1; jwt=${token}; b=2` } })
  assert.equal(byCookie.exchange.request.headers.get('cookie'), 'a=1; b=2')
  const only = await run.run(hiding, { headers: { Cookie: `jwt=${token}` } })
  assert.equal(only.exchange.request.headers.get('cookie'), undefined)
  const shown = await run.run({ 'jwt-auth': {} }, bearing(token))
  assert.equal(shown.exchange.request.headers.get('authorization'), `Bearer ${token}`)
  assert.equal(shown.exchange.variable('jwt_auth_payload'), undefined)
  const byIssuer = await sign({ iss: 'rose' }, 'HS512')
  assert.deepEqual(await outcome({ key_claim_name: 'iss' }, bearing(byIssuer)), [200, 'rose'])
  run.close()
})

test('who cannot be authenticated is the anonymous consumer', async () => {
  assert.deepEqual(await outcome({ anonymous_consumer: 'nobody' }, {}), [200, 'nobody'])
  assert.deepEqual(await outcome({ anonymous_consumer: 'nobody' }, bearing('a.b.c')), [200, 'nobody'])
  const forged = bearing(await sign({ key: 'jack' }, 'HS256', Buffer.from('another')))
  assert.deepEqual(await outcome({ anonymous_consumer: 'nobody' }, forged), [200, 'nobody'])
  assert.deepEqual(await outcome({ anonymous_consumer: 'gone' }, {}), [401, 'Invalid user authorization'])
})
