/** Whole gateways that follow a file or etcd: what is written there is served, by every gateway, without losing a connection. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { etcdMissing, startEtcd } from '../support/servers/etcd.ts'
import { startTraffic } from '../support/traffic.ts'
import { until } from '../support/until.ts'

let backends: readonly Backend[]
before(async () => {
  backends = await Promise.all(['a', 'b'].map((name) => namedServer(name)))
})
after(() => Promise.all(backends.map((backend) => backend.stop())))

const node = (i: number): string => (backends[i] as Backend).node
const serves = (port: number, name: string) => async (): Promise<boolean> => (await firstLine(port)) === name

test('edits of apisix.yaml take effect, a broken file leaves the last good one, and no connection is lost', async () => {
  const port = await freePort()
  const config = { apisix: { stream_proxy: { tcp: [`127.0.0.1:${port}`] } } }
  const gateway = await startTestGateway({ workers: 2, config })
  try {
    const write = (text: string): void => writeFileSync(path.join(gateway.home, 'conf/apisix.yaml'), text)
    const routes = (to: string, more = ''): string =>
      `stream_routes:\n  - id: 1\n    upstream:\n      nodes:\n        "${to}": 1\n${more}#END\n`
    write(routes(node(0)))
    gateway.configure({
      ...config,
      deployment: { role: 'data_plane', role_data_plane: { config_provider: 'yaml' } },
    })
    await gateway.restart()
    assert.equal(await firstLine(port), 'a')
    const traffic = await startTraffic({ port })
    write(routes(node(1)))
    await until(serves(port, 'b'), { what: 'the other node' })
    write(routes(node(0)).replace('#END', 'more:\n  - [ broken\n#END'))
    await until(async () => (await gateway.file('logs/error.log')).includes('the last good one stays'), {
      what: 'the fault',
    })
    assert.equal(await firstLine(port), 'b')
    write(routes(node(0)).replace('#END\n', ''))
    await until(
      async () => /the last good one stays.*the last good one stays/s.test(await gateway.file('logs/error.log')),
      {
        what: 'the missing end',
      },
    )
    assert.equal(await firstLine(port), 'b')
    write(
      routes(node(0), '  - id: 2\n    remote_addr: 192.0.2.1\n    upstream:\n      nodes:\n        "192.0.2.2:1": 1\n'),
    )
    await until(serves(port, 'a'), { what: 'the first node' })
    const { failures, short, echoes } = await traffic.stop()
    assert.deepEqual(failures, [])
    assert.ok(short > 0 && echoes > 0)
  } finally {
    await gateway.stop()
  }
})

test('what one gateway writes into etcd is served by the other, and so is what etcdctl writes', {
  skip: etcdMissing(),
}, async () => {
  const etcd = await startEtcd()
  const ports = [await freePort(), await freePort()]
  const gateways: TestGateway[] = []
  try {
    for (const port of ports) {
      gateways.push(
        await startTestGateway({
          workers: 2,
          config: {
            apisix: { stream_proxy: { tcp: [`127.0.0.1:${port}`] } },
            deployment: {
              role_traditional: { config_provider: 'etcd' },
              etcd: { host: [etcd.url], prefix: '/apisix' },
            },
          },
        }),
      )
    }
    const [writer] = gateways as [TestGateway, TestGateway]
    const [near, far] = ports as [number, number]
    const put = async (at: string, body: unknown): Promise<void> => {
      const { status, body: answer } = await writer.admin('PUT', at, body)
      assert.ok(status < 300, JSON.stringify(answer))
    }
    await put('/upstreams/u', { nodes: { [node(0)]: 1 } })
    await put('/stream_routes/r', { upstream_id: 'u' })
    await until(serves(near, 'a'), { what: 'the route at the gateway that wrote it' })
    await until(serves(far, 'a'), { what: 'the route at the other gateway' })
    const traffic = await startTraffic({ port: far })
    await put('/upstreams/u', { nodes: { [node(1)]: 1 } })
    await until(serves(far, 'b'), { what: 'the change at the other gateway' })
    const upstream = { id: 'u', type: 'roundrobin', nodes: { [node(0)]: 1 }, create_time: 1, update_time: 1 }
    await etcd.ctl('put', '/apisix/upstreams/u', JSON.stringify(upstream))
    for (const port of ports) await until(serves(port, 'a'), { what: 'what etcdctl wrote' })
    await etcd.ctl('put', '/apisix/upstreams/u', '{"nodes": 5}')
    await put('/stream_routes/other', { remote_addr: '192.0.2.1', upstream_id: 'u' })
    await until(async () => (await gateways[1]?.status())?.config.rejected === 1, { what: 'the refusal' })
    assert.equal(await firstLine(far), 'a')
    const { failures, short } = await traffic.stop()
    assert.deepEqual(failures, [])
    assert.ok(short > 0)
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()))
    await etcd.stop()
  }
})
