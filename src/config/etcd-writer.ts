/** Reads and writes of etcd itself, for the Admin API. It changes no store: what was written comes back by the watch. */
import type { Etcd3, IKeyValue } from 'etcd3'
import type { JsonObject } from '../base/json.ts'
import { parsePair } from './etcd-keys.ts'
import { readRange } from './etcd-range.ts'
import { type ConfigWriter, type PutOptions, WriteError } from './source.ts'
import type { Resource } from './store.ts'

export class EtcdWriter implements ConfigWriter {
  readonly #client: () => Promise<Etcd3>
  readonly #prefix: string

  constructor(client: () => Promise<Etcd3>, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  async read(kind: string, id: string): Promise<Resource | undefined> {
    return this.#guard(async (client) => {
      const { kvs } = await client.kv.range({ key: this.#key(kind, id) })
      return kvs[0] === undefined ? undefined : this.#parse(kvs[0])
    })
  }

  /** Values that are no JSON objects are left out. */
  async list(kind: string): Promise<readonly Resource[]> {
    return this.#guard(async (client) => {
      const { pairs } = await readRange(client, `${this.#prefix}/${kind}/`)
      return pairs.map((pair) => this.#parse(pair)).filter((each) => each !== undefined)
    })
  }

  /**
   * After a lost answer the write is tried at another endpoint. It may then have been done twice, which is harmless but
   * for `expect`: that try reports a conflict with itself.
   */
  async put(
    kind: string,
    id: string,
    value: JsonObject,
    options: PutOptions = {},
  ): Promise<{ resource: Resource; created: boolean }> {
    return this.#guard(async (client) => {
      const lease = options.ttl === undefined ? undefined : await this.#grant(client, options.ttl)
      const text = JSON.stringify(value)
      const put = {
        key: this.#key(kind, id),
        value: Buffer.from(text),
        prev_kv: true,
        ...(lease === undefined ? {} : { lease }),
      }
      try {
        const done =
          options.expect === undefined ? await client.kv.put(put) : await this.#swap(client, put, options.expect)
        const modifiedIndex = Number(done.header.revision)
        const created = !done.prev_kv
        const createdIndex = created ? modifiedIndex : Number(done.prev_kv.create_revision)
        return { resource: { kind, id, value: JSON.parse(text) as JsonObject, createdIndex, modifiedIndex }, created }
      } catch (error) {
        // best effort: it would run out by itself
        if (lease !== undefined) client.leaseClient.leaseRevoke({ ID: lease }).catch(() => undefined)
        throw error
      }
    })
  }

  async delete(kind: string, id: string): Promise<boolean> {
    return this.#guard(async (client) => {
      const { deleted } = await client.kv.deleteRange({ key: this.#key(kind, id) })
      return Number(deleted) > 0
    })
  }

  async nextId(): Promise<string> {
    return this.#guard(async (client) => {
      const { header } = await client.kv.put({ key: Buffer.from(`${this.#prefix}/gen_id`), value: Buffer.from('1') })
      return header.revision.padStart(20, '0')
    })
  }

  async #swap(client: Etcd3, put: { key: Buffer; value: Buffer }, expect: number) {
    const { header, succeeded, responses } = await client.kv.txn({
      compare: [{ key: put.key, target: 'Mod', result: 'Equal', mod_revision: expect }],
      success: [{ request_put: put }],
    })
    if (!succeeded) throw new WriteError('conflict', 'value changed before overwritten')
    const [response] = responses
    if (response === undefined) throw new WriteError('unreachable', 'etcd answered a transaction with nothing')
    return { header, prev_kv: response.response_put.prev_kv }
  }

  async #grant(client: Etcd3, ttl: number): Promise<string> {
    const { ID } = await client.leaseClient.leaseGrant({ TTL: Math.max(1, Math.ceil(ttl)) })
    return ID
  }

  #parse(pair: IKeyValue): Resource | undefined {
    try {
      return parsePair(pair, this.#prefix)
    } catch {
      return undefined
    }
  }

  #key(kind: string, id: string): Buffer {
    return Buffer.from(`${this.#prefix}/${kind}/${id}`)
  }

  async #guard<T>(run: (client: Etcd3) => Promise<T>): Promise<T> {
    try {
      return await run(await this.#client())
    } catch (error) {
      if (error instanceof WriteError) throw error
      throw new WriteError('unreachable', error instanceof Error ? error.message : String(error), error)
    }
  }
}
