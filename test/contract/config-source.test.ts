/** The source suite over every source that `src/config/index.ts` can make. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { ApiDrivenSource } from '../../src/config/api-driven.ts'
import { EmbeddedSource } from '../../src/config/embedded.ts'
import { EtcdSource } from '../../src/config/etcd.ts'
import { FileSource } from '../../src/config/file.ts'
import type { ConfigSource } from '../../src/config/source.ts'
import { silentLog } from '../../src/observability/log.ts'
import { type EtcdServer, etcdMissing, startEtcd } from '../support/servers/etcd.ts'
import { configSourceSuite, configWriterSuite, type Item, type SourceBed, type SourceSuite } from './config-source.ts'

const makeDir = () => mkdtempSync(path.join(tmpdir(), 'sluice-source-'))

/** A place that is written by its own writer, as the Admin API does; without an open source, by one made for it. */
function writtenBed(open: () => ConfigSource, remove: () => Promise<void>): SourceBed {
  return {
    open,
    remove,
    async set(items, current) {
      if (items.length === 0 && current === undefined) return
      const source = current ?? open()
      const writer = source.writer!
      const wanted = new Map(items.map((item) => [`${item.kind}/${item.id}`, item]))
      for (const kind of ['stream_routes', 'upstreams', 'consumers']) {
        for (const { id, value } of await writer.list(kind)) {
          const item = wanted.get(`${kind}/${id}`)
          if (item === undefined) await writer.delete(kind, id)
          else if (JSON.stringify(item.value) === JSON.stringify(value)) wanted.delete(`${kind}/${id}`)
        }
      }
      for (const { kind, id, value } of wanted.values()) await writer.put(kind, id, value)
      if (current === undefined) await source.close()
    },
  }
}

const embedded: SourceSuite = {
  name: 'embedded',
  skip: false,
  async bed() {
    const dir = makeDir()
    const open = () => new EmbeddedSource({ file: path.join(dir, 'sluice.db'), history: 100 })
    return writtenBed(open, async () => rmSync(dir, { recursive: true }))
  },
}

let server: Promise<EtcdServer> | undefined
after(async () => (await server)?.stop())

const etcd: SourceSuite = {
  name: 'etcd',
  skip: etcdMissing(),
  async bed() {
    server ??= startEtcd()
    const { url } = await server
    const dir = makeDir()
    const prefix = `/${randomUUID()}`
    const open = () =>
      new EtcdSource({
        hosts: [url],
        prefix,
        timeoutMs: 10_000,
        silenceMs: 10_000,
        resyncMs: 100,
        restMs: 1000,
        startupRetry: 2,
        auth: undefined,
        tls: undefined,
        writable: true,
        lastGood: path.join(dir, 'last-good.json'),
        log: silentLog,
      })
    return writtenBed(open, async () => rmSync(dir, { recursive: true }))
  },
}

/** `{routes: [...], …}`, as a standalone file has it. */
function documentOf(items: readonly Item[]): Record<string, JsonObject[]> {
  const document: Record<string, JsonObject[]> = {}
  for (const { kind, id, value } of items) {
    document[kind] ??= []
    document[kind].push(kind === 'consumers' && id.includes('/') ? { ...value, id } : value)
  }
  return document
}

function fileSuite(format: 'yaml' | 'json'): SourceSuite {
  return {
    name: format,
    skip: false,
    async bed() {
      const dir = makeDir()
      const file = path.join(dir, `apisix.${format}`)
      return {
        open: () => new FileSource({ file, format, env: {}, log: silentLog, checkMs: 10 }),
        async set(items) {
          // JSON is YAML; a new file in the place of the old one, as tools do it, is never seen half written
          const text = JSON.stringify(documentOf(items))
          writeFileSync(`${file}.new`, format === 'yaml' ? `${text}\n#END\n` : text)
          await rename(`${file}.new`, file)
        },
        remove: async () => rmSync(dir, { recursive: true }),
      }
    },
  }
}

const apiDriven: SourceSuite = {
  name: 'API-driven yaml',
  skip: false,
  forgets: 'what the API sent is kept in memory only',
  async bed() {
    let waiting: readonly Item[] = []
    const send = (source: ApiDrivenSource, items: readonly Item[]) =>
      void source.replaceDocument(documentOf(items) as JsonObject, randomUUID(), 1, { items: () => undefined })
    return {
      open() {
        const source = new ApiDrivenSource()
        if (waiting.length > 0) send(source, waiting)
        return source
      },
      async set(items, source) {
        waiting = items
        if (source !== undefined) send(source as ApiDrivenSource, items)
      },
      remove: async () => {},
    }
  },
}

for (const suite of [embedded, etcd, fileSuite('yaml'), fileSuite('json'), apiDriven]) configSourceSuite(suite)
for (const suite of [embedded, etcd]) configWriterSuite(suite)
