/** The real Admin API server on a free port, with the real kinds, over a configuration in memory. */

import { request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type AdminDeps, createAdminServer } from '../../src/admin/server.ts'
import { MemoryStore } from '../../src/config/resource-store.ts'
import { silentLog } from '../../src/observability/log.ts'
import { createCatalogue } from '../../src/plugin/catalogue.ts'
import { plugins } from '../../src/plugins/index.ts'
import { kinds } from '../../src/resources/index.ts'
import { createResourceCheck } from '../../src/snapshot/check.ts'
import { MemorySource } from './memory-source.ts'

export const adminKey = 'edd1c9f034335f136f87ad84b625c8f1'
export const viewerKey = '4054f7cf07e344346cd3f287985e76a2'
export const keyring = ['edd1c9f0985e76a2', 'qeddd145sfvddff3']

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The text as JSON; throws when it is not. */
  json(): never
}

export interface RunningAdmin {
  readonly port: number
  readonly source: MemorySource
  readonly store: MemoryStore
  /** `body`: text as it is, anything else as JSON. The admin key is sent unless `headers` say otherwise. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
}

/** What the context of a test offers: servers of one test are closed when it ends, however it ends. */
interface Closing {
  after(close: () => Promise<void>): void
}

/** A server that is closed with the test that started it. */
export async function startAdminFor(test: Closing, overrides: Partial<AdminDeps> = {}): Promise<RunningAdmin> {
  const admin = await startAdmin(overrides)
  test.after(() => admin.close())
  return admin
}

/** `path` is below `/apisix/admin` in `call`, unless it begins with two slashes. */
export async function startAdmin(overrides: Partial<AdminDeps> = {}): Promise<RunningAdmin> {
  const source = new MemorySource()
  const store =
    overrides.store instanceof MemoryStore
      ? overrides.store
      : new MemoryStore({ check: () => undefined, log: silentLog })
  if (overrides.source === undefined) await source.follow(store)
  const catalogue = overrides.catalogue ?? createCatalogue({ built: plugins })
  const app = createAdminServer({
    admin: {
      keyRequired: true,
      keys: [
        { name: 'admin', key: adminKey, role: 'admin' },
        { name: 'viewer', key: viewerKey, role: 'viewer' },
      ],
      cors: true,
      allow: ['127.0.0.0/24'],
      apiVersion: 'v3',
    },
    serverTokens: true,
    source,
    store,
    kinds,
    catalogue,
    check: createResourceCheck({ kinds, catalogue, lookup: store, keyring, pluginKeyring: keyring }),
    streamEnabled: true,
    standalone: undefined,
    reloadPlugins: async () => {},
    log: silentLog,
    ...overrides,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    port,
    source,
    store,
    call: (method, path, body, headers = { 'x-api-key': adminKey }) =>
      send(port, method, path.startsWith('//') ? path.slice(1) : `/apisix/admin${path}`, body, headers),
    close: () => app.close(),
  }
}

/** One request on a connection of its own. */
export function send(
  port: number,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const received = Buffer.concat(chunks).toString('utf8')
        const status = response.statusCode ?? 0
        resolve({ status, headers: response.headers, text: received, json: () => JSON.parse(received) as never })
      })
    })
    request.on('error', reject)
    if (text !== undefined) request.setHeader('content-length', Buffer.byteLength(text))
    request.end(text)
  })
}
