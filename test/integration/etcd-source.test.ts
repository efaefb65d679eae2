/** What only a real etcd can show: it goes away, comes back, is compacted, replaced, guarded by TLS and passwords. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { EtcdSource, type EtcdSourceOptions } from '../../src/config/etcd.ts'
import { MemoryStore } from '../../src/config/resource-store.ts'
import { WriteError } from '../../src/config/source.ts'
import { silentLog } from '../../src/observability/log.ts'
import { makeCa, makeCertificate } from '../support/certificates.ts'
import { type EtcdServer, type EtcdServerOptions, etcdMissing, startEtcd } from '../support/servers/etcd.ts'
import { freePort } from '../support/servers/program.ts'
import { until } from '../support/until.ts'

const skip = etcdMissing()

interface Place {
  readonly server: EtcdServer
  readonly dir: string
  open(options?: Partial<EtcdSourceOptions>): Opened
}

interface Opened {
  readonly source: EtcdSource
  readonly store: MemoryStore
  readonly errors: Record<string, unknown>[]
  follow(): Promise<void>
  /** Until the value of a stream route is so. */
  sees(id: string, n: number | undefined): Promise<unknown>
}

async function place(context: TestContext, options: EtcdServerOptions = {}): Promise<Place> {
  const dir = mkdtempSync(path.join(tmpdir(), 'sluice-etcd-source-'))
  const server = await startEtcd(options)
  const opened: EtcdSource[] = []
  context.after(async () => {
    for (const source of opened) await source.close()
    await server.stop()
    rmSync(dir, { recursive: true })
  })
  return {
    server,
    dir,
    open(own = {}) {
      const errors: Record<string, unknown>[] = []
      const log = { ...silentLog, error: (fields: Record<string, unknown>) => void errors.push(fields) }
      const source = new EtcdSource({
        hosts: [server.url],
        prefix: '/apisix',
        timeoutMs: 3000,
        silenceMs: 60_000,
        resyncMs: 50,
        restMs: 500,
        startupRetry: 0,
        auth: undefined,
        tls: undefined,
        writable: true,
        lastGood: path.join(dir, 'last-good.json'),
        log,
        ...own,
      })
      opened.push(source)
      const store = new MemoryStore({ check: (_k, _i, value) => (value['bad'] === true ? 'bad' : undefined), log })
      return {
        source,
        store,
        errors,
        follow: () => source.follow(store, new AbortController().signal),
        sees: (id, n) =>
          until(() => store.get('stream_routes', id)?.value['n'] === n, {
            what: `stream route ${id} with ${n}`,
            ms: 30_000,
          }),
      }
    },
  }
}

const put = (server: EtcdServer, id: string, value: string) => server.ctl('put', `/apisix/stream_routes/${id}`, value)

test('placeholders and values that are no objects are left out, and the rest is taken', { skip }, async (context) => {
  const { server, open } = await place(context)
  await server.ctl('put', '/apisix/stream_routes/', 'init_dir')
  await server.ctl('put', '/apisix/gen_id', '1')
  await server.ctl('put', '/apisix/plugins', '[{"name":"ip-restriction"}]')
  await server.ctl('put', '/apisix/data_plane/server_info/x', '{"id":"x"}')
  await server.ctl('put', '/apisix_other/stream_routes/1', '{"n":9}')
  await put(server, 'text', 'not json')
  await put(server, 'list', '[1]')
  await put(server, '1', '{"n":1}')
  const { store, follow, sees, errors } = open()
  await follow()
  assert.deepEqual(store.kinds(), ['stream_routes'])
  assert.deepEqual(
    [...store.all('stream_routes')].map((each) => each.id),
    ['1'],
  )
  assert.deepEqual(errors.map((each) => each['key']).sort(), [
    '/apisix/stream_routes/list',
    '/apisix/stream_routes/text',
  ])
  await put(server, '1', 'broken')
  await put(server, 'list', '{"n":2}')
  await sees('list', 2)
  assert.equal(store.get('stream_routes', '1')?.value['n'], 1, 'the last good form stays')
})

test('when etcd goes away the last state stays, and what happened meanwhile is caught up with', {
  skip,
}, async (context) => {
  const { server, open } = await place(context)
  await put(server, '1', '{"n":1}')
  const { source, store, follow, sees } = open()
  await follow()
  assert.deepEqual(source.status(), { provider: 'etcd', reachable: true, detail: undefined })
  await server.pause()
  await until(() => !source.status().reachable, { what: 'the loss to be noticed' })
  assert.ok(source.status().detail)
  assert.equal(store.get('stream_routes', '1')?.value['n'], 1)
  await assert.rejects(source.writer!.put('stream_routes', '2', {}), (error) => {
    return error instanceof WriteError && error.reason === 'unreachable' && error.message !== ''
  })
  await server.resume()
  await put(server, '1', '{"n":2}')
  await sees('1', 2)
  assert.equal(source.status().reachable, true)
  assert.equal((await source.writer!.put('stream_routes', '2', { n: 3 })).created, true)
  await sees('2', 3)
})

test('changes of a time that etcd has compacted are found by reading everything again', { skip }, async (context) => {
  const { server, open } = await place(context)
  await put(server, 'gone', '{"n":1}')
  await put(server, 'kept', '{"n":1}')
  const { store, follow, sees } = open()
  await follow()
  const heard: string[] = []
  store.onChange((changes) => void heard.push(...changes.map((each) => each.type)))
  await server.pause()
  await server.resume()
  // the source may be back before the compaction; it then has seen it all, which is as good
  await server.ctl('del', '/apisix/stream_routes/gone')
  await put(server, 'new', '{"n":2}')
  for (let n = 0; n < 5; n++) await server.ctl('put', '/other', String(n))
  await server.ctl('compact', await revisionOf(server), '--physical')
  await sees('new', 2)
  await sees('gone', undefined)
  await put(server, 'kept', '{"n":5}')
  await sees('kept', 5)
  assert.deepEqual(heard, ['delete', 'put', 'put'])
})

test('a watch that asks for a compacted revision reads everything again', { skip }, async (context) => {
  const { server, dir, open } = await place(context)
  const first = open()
  await put(server, '1', '{"n":1}')
  await first.follow()
  await first.source.close()
  await server.pause()
  // started from what was kept while etcd is down, so that its first watch is of an old revision
  const second = open()
  await second.follow()
  assert.equal(second.store.get('stream_routes', '1')?.value['n'], 1)
  assert.ok(existsSync(path.join(dir, 'last-good.json')))
  const port = new URL(server.url).port
  assert.ok(port)
  await server.resume()
  await put(server, '1', '{"n":2}')
  await server.ctl('compact', await revisionOf(server))
  await second.sees('1', 2)
})

test('another cluster at the same address replaces the state, even with smaller revisions', {
  skip,
}, async (context) => {
  const { server, open } = await place(context)
  for (let n = 0; n < 10; n++) await put(server, 'old', `{"n":${n}}`)
  const { store, follow, sees } = open()
  await follow()
  await server.pause()
  await server.resume({ fresh: true })
  await put(server, 'new', '{"n":1}')
  await sees('new', 1)
  assert.equal(store.get('stream_routes', 'old'), undefined)
  await put(server, 'new', '{"n":2}')
  await sees('new', 2)
})

test('a gateway that starts while etcd is down has the last good configuration', { skip }, async (context) => {
  const { server, dir, open } = await place(context)
  const nothing = open({ prefix: '/never' })
  await put(server, '1', '{"n":1}')
  await put(server, '2', '{"n":1}')
  const first = open()
  await first.follow()
  await put(server, '2', '{"bad":true}')
  await until(() => first.store.rejected.size === 1)
  await first.source.close()
  assert.equal(statSync(path.join(dir, 'last-good.json')).mode & 0o777, 0o600)
  await server.pause()
  const second = open()
  await second.follow()
  assert.equal(second.source.status().reachable, false)
  assert.deepEqual(
    [...second.store.all('stream_routes')].map(({ id, value }) => [id, value['n']]),
    [
      ['1', 1],
      ['2', 1],
    ],
  )
  await assert.rejects(nothing.follow(), 'the configuration of another prefix is not taken')
  await server.resume()
  await put(server, '1', '{"n":2}')
  await second.sees('1', 2)
  assert.equal(second.source.status().reachable, true)
})

test('a last good configuration that is damaged counts as none', { skip }, async (context) => {
  const { server, dir, open } = await place(context)
  await server.pause()
  writeFileSync(path.join(dir, 'last-good.json'), '{"origin":')
  const { follow, errors } = open()
  await assert.rejects(follow())
  assert.equal(errors.length, 2)
})

test('of several endpoints one is enough', { skip }, async (context) => {
  const { server, open } = await place(context)
  const dead = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const { source, follow, sees } = open({ hosts: [...dead, server.url] })
  await follow()
  for (let n = 0; n < 20; n++) await source.writer!.put('stream_routes', '1', { n })
  await sees('1', 19)
})

test('etcd is spoken to with TLS, a client certificate and a name of its own', { skip }, async (context) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'sluice-etcd-tls-'))
  context.after(() => rmSync(dir, { recursive: true }))
  const ca = makeCa()
  const files = Object.fromEntries(
    Object.entries({
      ca: ca.cert,
      ...pair('server', makeCertificate({ ca, names: ['etcd.example'] })),
      ...pair('numbered', makeCertificate({ ca, names: ['127.0.0.1', 'root'] })),
      ...pair('client', makeCertificate({ ca, names: ['root'], client: true })),
    }).map(([name, text]) => {
      const file = path.join(dir, `${name}.pem`)
      writeFileSync(file, text)
      return [name, file]
    }),
  )
  const read = (name: string) => readFileSync(files[name]!)
  const connect = async (
    url: string,
    own: Partial<EtcdSourceOptions>,
    tls: Partial<EtcdSourceOptions['tls'] & object>,
  ) => {
    const defaults = { ca: undefined, cert: undefined, key: undefined, verify: true, sni: undefined }
    const source = new EtcdSource({
      hosts: [url],
      prefix: '/apisix',
      timeoutMs: 3000,
      silenceMs: 60_000,
      resyncMs: 50,
      restMs: 500,
      startupRetry: 0,
      auth: undefined,
      tls: { ...defaults, ...tls },
      writable: true,
      lastGood: path.join(dir, 'last-good.json'),
      log: silentLog,
      ...own,
    })
    try {
      return await source.writer!.put('routes', '1', {})
    } finally {
      await source.close()
    }
  }
  const ca1 = { ca: read('ca') }
  const own = { cert: read('clientCert'), key: read('clientKey') }

  const named = await startEtcd({ tls: { cert: files['serverCert']!, key: files['serverKey']! } })
  context.after(() => named.stop())
  await connect(named.url, {}, { ...ca1, sni: 'etcd.example' })
  await connect(named.url, {}, { verify: false })
  await assert.rejects(connect(named.url, {}, ca1), WriteError, 'the address is not in the certificate')
  await assert.rejects(connect(named.url, {}, { sni: 'etcd.example' }), WriteError, 'nobody trusts the authority')
  await named.ctl('user', 'add', 'root:secret')
  await named.ctl('user', 'grant-role', 'root', 'root')
  await named.ctl('auth', 'enable')
  const auth = { username: 'root', password: 'secret' }
  await connect(named.url, { auth }, { ...ca1, sni: 'etcd.example' })
  await assert.rejects(connect(named.url, {}, { ...ca1, sni: 'etcd.example' }), WriteError)

  const strict = { cert: files['numberedCert']!, key: files['numberedKey']!, clientCa: files['ca']! }
  const numbered = await startEtcd({ tls: { ...strict, ctlCert: files['clientCert']!, ctlKey: files['clientKey']! } })
  context.after(() => numbered.stop())
  await connect(numbered.url, {}, { ...ca1, ...own })
  await assert.rejects(connect(numbered.url, {}, ca1), WriteError, 'a client certificate is asked for')
})

test('etcd with users is asked with the name and the password', { skip }, async (context) => {
  const { server, open } = await place(context)
  await server.ctl('user', 'add', 'root:secret word')
  await server.ctl('user', 'grant-role', 'root', 'root')
  await server.ctl('auth', 'enable')
  const { source, follow, sees } = open({ auth: { username: 'root', password: 'secret word' } })
  await follow()
  await source.writer!.put('stream_routes', '1', { n: 1 })
  await sees('1', 1)
  await assert.rejects(open({ auth: { username: 'root', password: 'wrong' }, lastGood: '/nonexistent' }).follow())
  await assert.rejects(open({ lastGood: '/nonexistent' }).follow())
})

test('a silent watch is checked against the store', { skip }, async (context) => {
  const { server, open } = await place(context)
  const { source, follow, sees } = open({ silenceMs: 50 })
  await follow()
  const before = performance.now()
  await until(() => performance.now() - before > 300, { what: 'a few checks' })
  assert.equal(source.status().reachable, true)
  await put(server, '1', '{"n":1}')
  await sees('1', 1)
})

function pair(name: string, { cert, key }: { cert: string; key: string }): Record<string, string> {
  return { [`${name}Cert`]: cert, [`${name}Key`]: key }
}

async function revisionOf(server: EtcdServer): Promise<string> {
  const status = JSON.parse(await server.ctl('endpoint', 'status', '-w', 'json')) as {
    Status: { header: { revision: number } }
  }[]
  return String(status[0]?.Status.header.revision)
}
