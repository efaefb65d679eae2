/** The plugin host in a whole gateway: whose plugins run when, who calls, what becomes of answers, what is read while it runs. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import type { Reply } from '../support/http-ask.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { resourcesOf } from '../support/resources.ts'
import { until } from '../support/until.ts'

let gateway: TestGateway
let backend: HttpBackend
const { put, remove } = resourcesOf(() => gateway)

before(async () => {
  backend = await httpBackend({ name: 'endpoint' })
  gateway = await startTestGateway({
    config: {
      sluice: { extra_plugins: [fileURLToPath(new URL('../fixtures/http-plugins.ts', import.meta.url))] },
    },
    env: { TOKEN_OF_ENV: 'from-env' },
  })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
})

const nodes = () => ({ upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' } })
const ask = (path: string, headers: Record<string, string> = {}): Promise<Reply> =>
  gateway.ask('http', path, { headers })
const traceOf = (reply: Reply): string => String(reply.headers['x-trace'] ?? '')

/** A change is in force a moment after its answer. */
async function settled(
  path: string,
  headers: Record<string, string>,
  check: (reply: Reply) => boolean,
): Promise<Reply> {
  let last: Reply | undefined
  await until(
    async () => {
      last = await ask(path, headers)
      return check(last)
    },
    { what: `${path} as wanted` },
  ).catch((error: Error) => assert.fail(`${error.message}: ${JSON.stringify(last)}`))
  return last as Reply
}

test('plugins of service, plugin config and route are merged by name and run in order of priority', async () => {
  await put('/services/s', { ...nodes(), plugins: { one: { n: 's' }, two: { n: 's' }, three: { n: 's' } } })
  await put('/plugin_configs/c', { plugins: { two: { n: 'c' }, three: { n: 'c' } } })
  await put('/routes/r', { uri: '/merged', service_id: 's', plugin_config_id: 'c', plugins: { three: { n: 'r' } } })
  const reply = await settled('/merged', {}, ({ status }) => status === 200)
  assert.equal(
    traceOf(reply),
    'one rewrite s, two rewrite c, three rewrite r, one access s, two access c, three access r',
  )
  await put('/routes/r', {
    uri: '/merged',
    service_id: 's',
    plugin_config_id: 'c',
    plugins: { one: { _meta: { disable: true } }, three: { n: 'r', _meta: { priority: 99 } } },
  })
  const next = await settled('/merged', {}, (one) => traceOf(one).startsWith('three'))
  assert.equal(traceOf(next), 'three rewrite r, two rewrite c, three access r, two access c')
})

test('an answer ends the request, and runs through the filters', async () => {
  await put('/routes/a', { uri: '/answer', ...nodes(), plugins: { one: { answer: 418 }, two: {} } })
  const reply = await settled('/answer', {}, ({ status }) => status === 418)
  assert.deepEqual([reply.body, reply.headers['content-type']], ['{"by":"one"}\n', 'text/plain; charset=utf-8'])
  assert.equal(traceOf(reply), 'one rewrite, two rewrite, one access')
  const meta = { error_response: { message: 'not for you' } }
  await put('/routes/a', { uri: '/answer', ...nodes(), plugins: { one: { answer: 403, _meta: meta } } })
  assert.equal((await settled('/answer', {}, ({ status }) => status === 403)).body, '{"message":"not for you"}\n')
})

test('a plugin that throws is 500 for this request, with a line in the log and without its reason in the answer', async () => {
  await put('/routes/t', { uri: '/throws', ...nodes(), plugins: { throwing: {} } })
  const reply = await settled('/throws', {}, ({ status }) => status === 500)
  assert.match(String(reply.body), /<title>500 Internal Server Error<\/title>/)
  assert.doesNotMatch(String(reply.body), /purpose/)
  await until(async () => (await gateway.log()).includes('thrown on purpose'), { what: 'the line in the log' })
})

test('body filters change what leaves; one that breaks is left out, or breaks the answer off', async () => {
  await put('/routes/d', { uri: '/double', ...nodes(), plugins: { doubling: {} } })
  const reply = await settled('/double', {}, ({ status }) => status === 200)
  assert.equal(reply.body, 'endpoint\nendpoint\n')
  assert.equal(reply.headers['content-length'], undefined)
  await put('/routes/d', { uri: '/double', ...nodes(), plugins: { doubling: { breaks: 'first' } } })
  await settled('/double', {}, ({ body }) => body === 'endpoint\n')
  await put('/routes/d', { uri: '/double', ...nodes(), plugins: { doubling: { breaks: 'second' } } })
  await until(async () => (await ask('/double').catch(() => 'broken')) === 'broken', { what: 'a broken answer' })
})

test('global rules run for every request before the route, also where there is no route', async () => {
  await put('/routes/g', { uri: '/global', ...nodes(), plugins: { two: {} } })
  await put('/global_rules/1', { plugins: { one: { n: 'g' }, yielding: { n: 'g' } } })
  const reply = await settled('/global', {}, (one) => traceOf(one).includes('one'))
  assert.equal(
    traceOf(reply),
    'yielding rewrite g, one rewrite g, two rewrite, yielding access g, one access g, two access',
  )
  const none = await ask('/nowhere')
  assert.deepEqual([none.status, none.body], [404, '{"error_msg":"404 Route Not Found"}\n'])
  assert.equal(traceOf(none), 'yielding rewrite g, one rewrite g, yielding access g, one access g')
  await put('/routes/g', { uri: '/global', ...nodes(), plugins: { yielding: { n: 'r' } } })
  const yielded = await settled('/global', {}, (one) => traceOf(one).includes('yielding rewrite r'))
  assert.equal(traceOf(yielded), 'one rewrite g, yielding rewrite r, one access g, yielding access r')
  const again = await gateway.admin('PUT', '/global_rules/2', { plugins: { one: {} } })
  assert.deepEqual(again.body, { error_msg: "plugin 'one' already exists in global rule with id '1'" })
  await remove('/global_rules/1')
  await settled('/nowhere', {}, (one) => traceOf(one) === '')
})

test('a caller is known by a token of a consumer or of a credential, and endpoints are told', async () => {
  await put('/consumers', {
    username: 'jack',
    plugins: { 'token-auth': { token: 'jacks' } },
    labels: { custom_id: '7' },
  })
  await put('/consumers/jack/credentials/c1', { plugins: { 'token-auth': { token: 'other' } } })
  await put('/consumers', { username: 'env', plugins: { 'token-auth': { token: '$env://TOKEN_OF_ENV' } } })
  await put('/consumers', { username: 'unset', plugins: { 'token-auth': { token: '$env://NOT_SET_HERE' } } })
  await put('/routes/auth', { uri: '/auth', ...nodes(), plugins: { 'token-auth': {} } })
  const forged = { 'x-consumer-username': 'root', 'x-credential-identifier': 'root', 'x-consumer-custom-id': 'root' }
  await settled('/auth', { ...forged, token: 'jacks' }, ({ status }) => status === 200)
  const seen = () => {
    const { headers } = backend.requests.at(-1) as HttpBackend['requests'][number]
    return [headers['x-consumer-username'], headers['x-credential-identifier'], headers['x-consumer-custom-id']]
  }
  assert.deepEqual(seen(), ['jack', undefined, '7'])
  assert.equal((await ask('/auth', { ...forged, token: 'other' })).status, 200)
  assert.deepEqual(seen(), ['jack', 'c1', '7'])
  assert.equal((await ask('/auth', { token: 'from-env' })).status, 200)
  assert.deepEqual(seen(), ['env', undefined, undefined])
  for (const token of ['$env://NOT_SET_HERE', 'wrong']) {
    const refused = await ask('/auth', { token })
    assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'token'])
  }
  const stored = (
    await gateway.admin('PUT', '/consumers/jack/credentials/c1', { plugins: { 'token-auth': { token: 'x' } } })
  ).body as { value: { plugins: { 'token-auth': { token: string } } } }
  assert.notEqual(stored.value.plugins['token-auth'].token, 'x')
  await settled('/auth', { token: 'x' }, ({ status }) => status === 200)
})

test("a consumer's plugins lie over its group's, and those over the route's", async () => {
  await put('/consumer_groups/g', { plugins: { one: { n: 'g' }, two: { n: 'g' } } })
  await put('/consumers', {
    username: 'ann',
    group_id: 'g',
    plugins: { 'token-auth': { token: 'anns' }, two: { n: 'c' } },
  })
  await put('/consumers', { username: 'bob', group_id: 'g', plugins: { 'token-auth': { token: 'bobs' } } })
  await put('/routes/c', {
    uri: '/consumer',
    ...nodes(),
    plugins: { 'token-auth': {}, one: { n: 'r' }, three: { n: 'r' } },
  })
  const anns = await settled('/consumer', { token: 'anns' }, ({ status }) => status === 200)
  assert.equal(
    traceOf(anns),
    'one rewrite r, three rewrite r, two rewrite c, one access g, two access c, three access r',
  )
  assert.match(traceOf(await ask('/consumer', { token: 'bobs' })), /two rewrite g, one access g, two access g/)
  await put('/consumer_groups/g', { plugins: { one: { n: 'g2' } } })
  const changed = await settled('/consumer', { token: 'bobs' }, (one) => traceOf(one).includes('g2'))
  assert.equal(traceOf(changed), 'one rewrite r, three rewrite r, one access g2, three access r')
})

test('a consumer without its group is 503, an anonymous one is used where there is one', async () => {
  await put('/consumers', { username: 'bob', group_id: 'g', plugins: { 'token-auth': { token: 'bobs' } } })
  await gateway.admin('DELETE', '/consumer_groups/g?force=true')
  const reply = await settled('/consumer', { token: 'bobs' }, ({ status }) => status === 503)
  assert.match(String(reply.body), /503 Service Temporarily Unavailable/)
  await put('/consumers', { username: 'nobody', plugins: { two: { n: 'anonymous' } } })
  await put('/routes/n', { uri: '/anonymous', ...nodes(), plugins: { 'token-auth': { anonymous_consumer: 'nobody' } } })
  const anonymous = await settled('/anonymous', {}, ({ status }) => status === 200)
  assert.equal(traceOf(anonymous), 'two rewrite anonymous, two access anonymous')
  await remove('/consumers/nobody')
  const refused = await settled('/anonymous', {}, ({ status }) => status === 401)
  assert.equal(refused.body, '{"message":"Invalid user authorization"}\n')
})

test('metadata is read while traffic runs, and a filter decides by what is in the body', async () => {
  const filter = [['post_arg_name', '==', 'jack']]
  await put('/routes/m', {
    uri: '/metadata',
    ...nodes(),
    plugins: { one: {}, two: { answer: 403, _meta: { filter } } },
  })
  await settled('/metadata', {}, ({ status, headers }) => status === 200 && headers['x-metadata'] === undefined)
  await put('/plugin_metadata/one', { a: 1 })
  await settled('/metadata', {}, ({ headers }) => headers['x-metadata'] === '{"a":1}')
  await remove('/plugin_metadata/one')
  await settled('/metadata', {}, ({ headers }) => headers['x-metadata'] === undefined)
  const post = (body: string): Promise<Reply> =>
    gateway.ask('http', '/metadata', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) },
      body,
    })
  assert.equal((await post('name=jack')).status, 403)
  assert.equal((await post('name=joe')).status, 200)
  assert.equal(backend.requests.at(-1)?.body.toString(), 'name=joe')
})

test('a missing plugin config is 503, a missing service 404', async () => {
  await put('/plugin_configs/gone', { plugins: {} })
  await put('/services/gone', nodes())
  await put('/routes/x', { uri: '/no-config', ...nodes(), plugin_config_id: 'gone' })
  await put('/routes/y', { uri: '/no-service', service_id: 'gone' })
  await settled('/no-service', {}, ({ status }) => status === 200)
  await gateway.admin('DELETE', '/plugin_configs/gone?force=true')
  await gateway.admin('DELETE', '/services/gone?force=true')
  const config = await settled('/no-config', {}, ({ status }) => status === 503)
  assert.match(String(config.body), /503 Service Temporarily Unavailable/)
  const service = await settled('/no-service', {}, ({ status }) => status === 404)
  assert.match(String(service.body), /404 Not Found/)
})
