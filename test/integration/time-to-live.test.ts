/** Resources that were given a time to live: when it is over they are gone from traffic, from the Admin API and from the store. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { type EtcdServer, etcdMissing, startEtcd } from '../support/servers/etcd.ts'
import { until } from '../support/until.ts'

let backend: HttpBackend
before(async () => {
  backend = await httpBackend({ name: 'endpoint' })
})
after(() => backend?.stop())

/** An etcd ends leases when it looks for them, which may be seconds late. */
const endMs = 30_000

function livesAndEnds(gatewayOf: () => TestGateway): void {
  const put = (at: string, value: unknown) => gatewayOf().admin('PUT', at, value)
  const get = async (at: string) => (await gatewayOf().admin('GET', at)).status
  const asked = async (path: string) => (await gatewayOf().ask('http', path)).status
  const comes = (path: string, status: number) =>
    until(async () => (await asked(path)) === status, { ms: endMs, what: `${status} of ${path}` })
  const nodes = () => ({ upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' } })

  test('a route with a time to live answers until it is over, then 404, and the Admin API has no trace of it', async () => {
    const since = performance.now()
    assert.equal((await put('/routes/short?ttl=3', { uri: '/short', ...nodes() })).status, 201)
    await comes('/short', 200)
    await comes('/short', 404)
    assert.ok(performance.now() - since > 2900, 'it lived as long as it was told to')
    assert.deepEqual((await gatewayOf().ask('http', '/short')).body, '{"error_msg":"404 Route Not Found"}\n')
    const { status, body } = await gatewayOf().admin('GET', '/routes/short')
    assert.deepEqual([status, body], [404, { message: 'Key not found' }])
    const { body: listed } = await gatewayOf().admin('GET', '/routes')
    assert.equal(
      (listed as { list: { value: { id: string } }[] }).list.filter((each) => each.value.id === 'short').length,
      0,
    )
    assert.equal((await gatewayOf().admin('DELETE', '/routes/short')).status, 404)
    assert.equal((await put('/routes/short', { uri: '/short', ...nodes() })).status, 201)
    await comes('/short', 200)
  })

  test('a route that is written again without a time to live stays, one that is made by POST with one does not', async () => {
    await put('/routes/kept?ttl=2', { uri: '/kept', ...nodes() })
    await put('/routes/kept', { uri: '/kept', ...nodes() })
    const made = await gatewayOf().admin('POST', '/routes?ttl=2', { uri: '/made', ...nodes() })
    const { id } = (made.body as { value: { id: string } }).value
    await comes('/made', 200)
    await comes('/made', 404)
    assert.equal(await get(`/routes/${id}`), 404)
    assert.equal(await asked('/kept'), 200)
    assert.equal(await get('/routes/kept'), 200)
  })

  test('a consumer with a time to live can call until it is over', async () => {
    const asks = async () => (await gatewayOf().ask('http', '/keyed', { headers: { apikey: 'for-a-while' } })).status
    await put('/routes/keyed', { uri: '/keyed', plugins: { 'key-auth': {} }, ...nodes() })
    await put('/consumers/guest?ttl=2', { username: 'guest', plugins: { 'key-auth': { key: 'for-a-while' } } })
    await until(async () => (await asks()) === 200, { what: 'the consumer' })
    await until(async () => (await asks()) === 401, { ms: endMs, what: 'the end of the consumer' })
    assert.equal(await get('/consumers/guest'), 404)
  })
}

suite('of the embedded store', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway({ workers: 2 })
  })
  after(() => gateway?.stop())
  livesAndEnds(() => gateway)

  test('a route whose time runs out while the gateway is down is not there when it comes back', async () => {
    const upstream = { upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' } }
    await gateway.admin('PUT', '/routes/slept', { uri: '/slept', ...upstream })
    const overMs = performance.now() + 1000
    await gateway.admin('PUT', '/routes/slept?ttl=1', { uri: '/slept', ...upstream })
    await gateway.kill('SIGKILL')
    await until(() => performance.now() > overMs, { what: 'the end of its time' })
    await gateway.restart()
    assert.equal((await gateway.ask('http', '/slept')).status, 404)
    assert.equal((await gateway.admin('GET', '/routes/slept')).status, 404)
  })
})

suite('of etcd', { skip: etcdMissing() }, () => {
  let etcd: EtcdServer
  let gateway: TestGateway
  before(async () => {
    etcd = await startEtcd()
    gateway = await startTestGateway({
      workers: 2,
      config: {
        deployment: {
          role_traditional: { config_provider: 'etcd' },
          etcd: { host: [etcd.url], prefix: '/apisix' },
        },
      },
    })
  })
  after(async () => {
    await gateway?.stop()
    await etcd?.stop()
  })
  livesAndEnds(() => gateway)
})
