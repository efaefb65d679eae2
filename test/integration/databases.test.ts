/**
 * Real databases, a real name server and bulk data through one gateway at the same time, each with its own client. A part whose
 * program is not installed is skipped by name. `SLUICE_TEST_BULK_MIB` sets how much bulk data goes each way (default 64).
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { type BulkServer, bulkBothWays, serveBulk } from '../support/bulk.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { dnsMissing, queryDns, startDns } from '../support/servers/dns.ts'
import { mariadbMissing, sql, startMariadb } from '../support/servers/mariadb.ts'
import { pgbench, postgresMissing, query, startPostgres } from '../support/servers/postgres.ts'
import { freePort, type Running } from '../support/servers/program.ts'
import { redisBenchmark, redisConnections, redisMissing, startRedis } from '../support/servers/redis.ts'
import { startTlsForwarder } from '../support/tls-forwarder.ts'
import { until } from '../support/until.ts'

const bulkBytes = Number(process.env['SLUICE_TEST_BULK_MIB'] ?? 64) * 2 ** 20
const serverName = 'db.sluice.test'
const ca = makeCa()

/** What listens where on the gateway. */
const ports = { postgres: 0, postgresTls: 0, redis: 0, mariadb: 0, bulk: 0, bulkTls: 0, dns: 0 }
let gateway: TestGateway
let bulk: BulkServer
let postgres: Running | undefined
let mariadb: Running | undefined
let dns: Running | undefined
let redises: Running[] = []

const nodes = (...servers: readonly { readonly port: number }[]): Record<string, number> =>
  Object.fromEntries(servers.map(({ port }) => [`127.0.0.1:${port}`, 1]))

async function put(path: string, body: object): Promise<void> {
  const answer = await gateway.admin('PUT', path, body)
  assert.ok(answer.status < 300, `PUT ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
}

/** One route by its port, to these servers in turn. */
async function route(id: string, port: number, ...servers: readonly { readonly port: number }[]): Promise<void> {
  await put(`/stream_routes/${id}`, { server_port: port, upstream: { type: 'roundrobin', nodes: nodes(...servers) } })
}

before(async () => {
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort()
  const plain = [ports.postgres, ports.redis, ports.mariadb, ports.bulk].map((port) => `127.0.0.1:${port}`)
  const secure = [ports.postgresTls, ports.bulkTls].map((port) => ({ addr: `127.0.0.1:${port}`, tls: true }))
  const config = { apisix: { stream_proxy: { tcp: [...plain, ...secure], udp: [`127.0.0.1:${ports.dns}`] } } }
  const orMissing = <T>(missing: string | false, start: () => Promise<T>): Promise<T> | undefined =>
    missing === false ? start() : undefined
  const redisPair = (): Promise<Running[]> => Promise.all([startRedis(), startRedis()])
  ;[gateway, bulk, postgres, mariadb, dns, redises] = await Promise.all([
    startTestGateway({ workers: 2, config }),
    serveBulk(),
    orMissing(postgresMissing(), startPostgres),
    orMissing(mariadbMissing(), startMariadb),
    orMissing(dnsMissing(), startDns),
    orMissing(redisMissing(), redisPair) ?? [],
  ])
  await put('/ssls/databases', { ...makeCertificate({ ca, names: [serverName] }), snis: [serverName] })
  if (postgres !== undefined) {
    await route('postgres', ports.postgres, postgres)
    await route('postgres-tls', ports.postgresTls, postgres)
  }
  if (redises.length > 0) await route('redis', ports.redis, ...redises)
  if (mariadb !== undefined) await route('mariadb', ports.mariadb, mariadb)
  if (dns !== undefined) await route('dns', ports.dns, dns)
  await route('bulk', ports.bulk, bulk)
  await route('bulk-tls', ports.bulkTls, bulk)
  await until(() => bulkBothWays(connect(ports.bulk, '127.0.0.1'), 1).catch(() => undefined), { what: 'the routes' })
})

after(async () => {
  await gateway?.stop()
  await Promise.all([bulk, postgres, mariadb, dns, ...redises].map((server) => server?.stop()))
})

describe('one gateway carries at the same time', { concurrency: true }, () => {
  // PostgreSQL asks for TLS inside its own protocol (SSLRequest), so a listener that ends TLS needs a client that begins with it:
  // libpq does so from version 17 on (sslnegotiation=direct). Older ones reach it through a local port that adds the TLS.
  test('pgbench, plain and through TLS that ends at the gateway', { skip: postgresMissing() }, async () => {
    const forwarder = await startTlsForwarder({ port: ports.postgresTls, serverName, ca: ca.cert })
    try {
      await pgbench(ports.postgres, { clients: 1, transactions: 1, initialise: true })
      const results = await Promise.all([
        pgbench(ports.postgres, { clients: 4, transactions: 150 }),
        pgbench(forwarder.port, { clients: 4, transactions: 150 }),
        pgbench(ports.postgres, { clients: 2, transactions: 50, reconnect: true }),
      ])
      assert.deepEqual(results, [
        { transactions: 600, failed: 0 },
        { transactions: 600, failed: 0 },
        { transactions: 100, failed: 0 },
      ])
      assert.deepEqual(forwarder.errors, [])
      assert.equal(await query(postgres!.port, 'select count(*) from pgbench_history'), '1301')
    } finally {
      await forwarder.stop()
    }
  })

  test('redis-benchmark, its connections spread over two nodes', { skip: redisMissing() }, async () => {
    const connections = (): Promise<number[]> => Promise.all(redises.map(({ port }) => redisConnections(port)))
    const first = await connections()
    const plain = await redisBenchmark(ports.redis, { requests: 10_000, clients: 20 })
    const pipelined = await redisBenchmark(ports.redis, { requests: 20_000, clients: 20, pipeline: 32, bytes: 2000 })
    assert.deepEqual([...plain.keys()], ['SET', 'GET', 'INCR'])
    assert.deepEqual([...pipelined.keys()], ['SET', 'GET', 'INCR'])
    const [one = 0, other = 0] = (await connections()).map((count, node) => count - first[node]!)
    // Each test of the benchmark opens 20 connections, and each worker of the gateway counts its own turns.
    assert.ok(one + other >= 120, `${one} and ${other} connections`)
    assert.ok(Math.abs(one - other) <= 8, `${one} and ${other} connections`)
  })

  test('the MariaDB client, where the server speaks first', { skip: mariadbMissing() }, async () => {
    await sql(ports.mariadb, 'create table t (n int primary key, text longtext) engine=innodb')
    const rows = Array.from({ length: 2000 }, (_, n) => `(${n}, 'row ${n}')`)
    await sql(ports.mariadb, `insert into t values ${rows.join()}`)
    assert.equal(await sql(ports.mariadb, 'select count(*), sum(n) from t'), '2000\t1999000')
    const long = await sql(ports.mariadb, "select repeat('0123456789', 400000)")
    assert.equal(long, '0123456789'.repeat(400_000))
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => sql(ports.mariadb, `update t set text = 'new' where n = ${n}`)),
    )
    assert.equal(await sql(mariadb!.port, "select count(*) from t where text = 'new'"), '20')
  })

  test('10,000 DNS queries over UDP, each answered and answered right', { skip: dnsMissing() }, async () => {
    const result = await queryDns({ port: ports.dns, count: 10_000, sockets: 50 })
    assert.deepEqual(result, { answered: 10_000, wrong: [], lost: 0 })
  })

  test(`${bulkBytes / 2 ** 20} MiB both ways over TCP arrive unchanged`, async () => {
    const { bytes } = await bulkBothWays(connect(ports.bulk, '127.0.0.1'), bulkBytes)
    assert.equal(bytes, bulkBytes)
  })

  test(`${bulkBytes / 2 ** 20} MiB both ways through TLS that ends at the gateway arrive unchanged`, async () => {
    const socket = connectTls({ port: ports.bulkTls, host: '127.0.0.1', servername: serverName, ca: ca.cert })
    await once(socket, 'secureConnect')
    const { bytes } = await bulkBothWays(socket, bulkBytes, 7)
    assert.equal(bytes, bulkBytes)
  })
})

test('the gateway held little of all that at any time', {
  skip: process.platform === 'linux' ? false : 'needs /proc',
}, () => {
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8')
  const peakMib = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
  assert.ok(peakMib < 384, `${Math.round(peakMib)} MiB at most`)
})
