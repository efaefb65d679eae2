/** The real servers that integration tests lean on start, answer their own clients without a proxy, and leave nothing behind. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { bulkBothWays, serveBulk } from '../../../support/bulk.ts'
import { makeCa, makeCertificate } from '../../../support/certificates.ts'
import { dnsMissing, queryDns, startDns } from '../../../support/servers/dns.ts'
import { haproxyMissing, startHaproxy } from '../../../support/servers/haproxy.ts'
import { mariadbMissing, sql, startMariadb } from '../../../support/servers/mariadb.ts'
import { nginxMissing, startNginx } from '../../../support/servers/nginx.ts'
import { pgbench, postgresMissing, startPostgres } from '../../../support/servers/postgres.ts'
import { findProgram, freePort, needs, start } from '../../../support/servers/program.ts'
import {
  redisBenchmark,
  redisCommand,
  redisConnections,
  redisMissing,
  startRedis,
} from '../../../support/servers/redis.ts'

test('a program that is not installed is named as the reason to skip', () => {
  assert.equal(needs('no-such-program-7', 'sh'), 'needs no-such-program-7')
  assert.equal(needs('sh'), false)
  assert.equal(findProgram('no-such-program-7'), undefined)
})

test('a program that ends at once is reported with what it said', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-server-'))
  const args = ['-c', 'echo out of luck >&2; exit 3']
  await assert.rejects(start({ program: 'sh', args, port: 1, dir, answers: async () => false }), /out of luck/)
  assert.equal(existsSync(dir), false)
})

test('PostgreSQL serves pgbench', { skip: postgresMissing() }, async () => {
  const server = await startPostgres()
  try {
    const result = await pgbench(server.port, { clients: 2, transactions: 20, initialise: true })
    assert.deepEqual(result, { transactions: 40, failed: 0 })
  } finally {
    await server.stop()
  }
})

test('Redis serves its benchmark and single commands', { skip: redisMissing() }, async () => {
  const server = await startRedis()
  try {
    assert.equal(await redisCommand(server.port, 'SET', 'a', 'b c'), '+OK')
    assert.equal(await redisCommand(server.port, 'GET', 'a'), 'b c')
    const rates = await redisBenchmark(server.port, { requests: 2000, clients: 5 })
    assert.deepEqual([...rates.keys()], ['SET', 'GET', 'INCR'])
    assert.ok((await redisConnections(server.port)) >= 15)
  } finally {
    await server.stop()
  }
})

test('MariaDB serves its client', { skip: mariadbMissing() }, async () => {
  const server = await startMariadb()
  try {
    assert.equal(
      await sql(server.port, 'create table t (n int); insert into t values (1), (2); select sum(n) from t'),
      '3',
    )
  } finally {
    await server.stop()
  }
})

test('dnsmasq answers every query, and a wrong expectation is seen', { skip: dnsMissing() }, async () => {
  const server = await startDns()
  try {
    const good = await queryDns({ port: server.port, count: 500, sockets: 20 })
    assert.deepEqual(good, { answered: 500, wrong: [], lost: 0 })
    const bad = await queryDns({ port: server.port, count: 1, sockets: 1, address: '1.2.3.4' })
    assert.deepEqual(bad.wrong, ['n0.sluice.test: address 10.20.30.40'])
  } finally {
    await server.stop()
  }
})

test('nginx and HAProxy carry bulk data unchanged', { skip: nginxMissing() || haproxyMissing() }, async () => {
  const backend = await serveBulk()
  const [a, b] = [await freePort(), await freePort()]
  const nginx = await startNginx({
    stream: `server { listen 127.0.0.1:${a}; proxy_pass 127.0.0.1:${backend.port}; }`,
    port: a,
  })
  const sections = `listen bulk\n  bind 127.0.0.1:${b}\n  server one 127.0.0.1:${backend.port}`
  const haproxy = await startHaproxy({ sections, port: b })
  try {
    for (const port of [a, b]) await bulkBothWays(connect(port, '127.0.0.1'), 8 << 20)
    assert.equal(backend.finished, 2)
  } finally {
    await Promise.all([nginx.stop(), haproxy.stop(), backend.stop()])
  }
})

test('bulk data passes through TLS', async () => {
  const ca = makeCa()
  const server = await serveBulk(makeCertificate({ ca, names: ['bulk.test'] }))
  try {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', servername: 'bulk.test', ca: ca.cert })
    await once(socket, 'secureConnect')
    assert.equal((await bulkBothWays(socket, 1_000_003)).bytes, 1_000_003)
  } finally {
    await server.stop()
  }
})

test('one changed byte on the way is noticed', async () => {
  const backend = await serveBulk()
  let seen = 0
  const middle = createServer((client) => {
    const there = connect(backend.port, '127.0.0.1')
    client.on('data', (chunk: Buffer) => {
      if (seen <= 500_000 && seen + chunk.length > 500_000) chunk.writeUInt8(chunk.readUInt8(0) ^ 1, 0)
      seen += chunk.length
      there.write(chunk)
    })
    there.on('data', (chunk) => client.write(chunk))
    client.on('close', () => there.destroy()).on('error', () => {})
    there.on('close', () => client.destroy()).on('error', () => {})
  })
  middle.listen(0, '127.0.0.1')
  await once(middle, 'listening')
  const { port } = middle.address() as { port: number }
  try {
    await assert.rejects(bulkBothWays(connect(port, '127.0.0.1'), 1 << 20), /arrived changed/)
  } finally {
    middle.close()
    await backend.stop()
  }
})
