/** A configuration source in memory: what tests of the Admin API write to where no file or server is wanted. */
import type { JsonObject } from '../../src/base/json.ts'
import {
  type ConfigSource,
  type ConfigWriter,
  type PutOptions,
  type SourceStatus,
  WriteError,
} from '../../src/config/source.ts'
import type { Resource, ResourceStore } from '../../src/config/store.ts'

export class MemorySource implements ConfigSource, ConfigWriter {
  readonly name = 'embedded'
  readonly prefix = '/apisix'
  readonly writer: ConfigWriter = this
  /** What was asked of `put` last. */
  lastPut: PutOptions | undefined
  /** Every call rejects with it while it is set. */
  failure: WriteError | undefined
  /** Runs between a read and what follows it: for tests of races. */
  afterRead: (() => void) | undefined
  #revision = 0
  #store: ResourceStore | undefined
  readonly #resources = new Map<string, Resource>()

  async follow(store: ResourceStore): Promise<void> {
    this.#store = store
    store.replace([...this.#resources.values()], this.#revision)
  }

  status(): SourceStatus {
    return { provider: 'memory', reachable: true, detail: undefined }
  }

  async close(): Promise<void> {
    this.#store = undefined
  }

  async read(kind: string, id: string): Promise<Resource | undefined> {
    this.#failIfTold()
    const found = this.#resources.get(`${kind}/${id}`)
    const after = this.afterRead
    this.afterRead = undefined
    after?.()
    return found
  }

  async list(kind: string): Promise<readonly Resource[]> {
    this.#failIfTold()
    return [...this.#resources.values()].filter((resource) => resource.kind === kind)
  }

  async put(kind: string, id: string, value: JsonObject, options: PutOptions = {}) {
    this.#failIfTold()
    this.lastPut = options
    return this.putNow(kind, id, value, options)
  }

  /** The same at once, as another writer would do it. */
  putNow(kind: string, id: string, value: JsonObject, options: PutOptions = {}) {
    const key = `${kind}/${id}`
    const old = this.#resources.get(key)
    if (options.expect !== undefined && options.expect !== (old?.modifiedIndex ?? 0)) {
      throw new WriteError('conflict', 'value changed before overwritten')
    }
    const modifiedIndex = ++this.#revision
    const resource = { kind, id, value, createdIndex: old?.createdIndex ?? modifiedIndex, modifiedIndex }
    this.#resources.set(key, resource)
    this.#store?.apply([{ type: 'put', resource }], modifiedIndex)
    return { resource, created: old === undefined }
  }

  async delete(kind: string, id: string): Promise<boolean> {
    this.#failIfTold()
    if (!this.#resources.delete(`${kind}/${id}`)) return false
    const revision = ++this.#revision
    this.#store?.apply([{ type: 'delete', kind, id, revision }], revision)
    return true
  }

  async nextId(): Promise<string> {
    this.#failIfTold()
    return String(++this.#revision).padStart(20, '0')
  }

  #failIfTold(): void {
    if (this.failure !== undefined) throw this.failure
  }
}
