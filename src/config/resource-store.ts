/**
 * The state that a source has given, in memory: each resource checked, the last good form of each kept. It does not know
 * what a route is; whether a value is right is asked of `check`.
 */
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../base/json.ts'
import type { Log } from '../observability/log.ts'
import type { Change, Resource, ResourceStore } from './store.ts'

export interface MemoryStoreOptions {
  /** Why the value must not be used; undefined: it may. Must not throw for a bad value; if it does, that is the reason. */
  check(kind: string, id: string, value: JsonObject): string | undefined
  readonly log: Pick<Log, 'error'>
}

export interface Rejection {
  readonly kind: string
  readonly id: string
  readonly reason: string
  /** Revision of the value that was refused. */
  readonly modifiedIndex: number
  readonly resource: Resource
  /** Whether an older form is in use in its place. */
  readonly kept: boolean
}

export class MemoryStore implements ResourceStore {
  readonly #options: MemoryStoreOptions
  readonly #kinds: Map<string, Map<string, Resource>>
  readonly #rejected: Map<string, Rejection>
  readonly #listeners: Set<(changes: readonly Change[]) => void>
  #revision: number
  #rejections: number
  /** What is in the store was found right by rules that hold no more. */
  #outdated = false

  constructor(options: MemoryStoreOptions) {
    this.#options = options
    this.#kinds = new Map()
    this.#rejected = new Map()
    this.#listeners = new Set()
    this.#revision = 0
    this.#rejections = 0
  }

  get revision(): number {
    return this.#revision
  }

  /** By `kind/id`: what the source holds now and may not be used. */
  get rejected(): ReadonlyMap<string, Rejection> {
    return this.#rejected
  }

  /** How many values were ever refused. */
  get rejections(): number {
    return this.#rejections
  }

  get(kind: string, id: string): Resource | undefined {
    return this.#kinds.get(kind)?.get(id)
  }

  all(kind: string): Iterable<Resource> {
    return this.#kinds.get(kind)?.values() ?? []
  }

  /** The kinds of which there is any resource. */
  kinds(): readonly string[] {
    return [...this.#kinds.keys()].filter((kind) => (this.#kinds.get(kind)?.size ?? 0) > 0)
  }

  /**
   * Afterwards the resources stand in the order of `state`. What must move behind another for that is announced as
   * deleted and put again; what is only given new indexes is not announced.
   */
  replace(state: readonly Resource[], revision: number): void {
    const wanted = new Map<string, Map<string, Resource>>()
    for (const resource of state) ensure(wanted, resource.kind).set(resource.id, resource)
    this.#forgetRejected(wanted)
    const changes: Change[] = []
    for (const kind of new Set([...this.#kinds.keys(), ...wanted.keys()])) {
      this.#replaceKind(kind, wanted.get(kind) ?? new Map(), revision, changes)
    }
    this.#revision = revision
    this.#outdated = false
    this.#announce(changes)
  }

  /**
   * What is right has changed, and a full state is about to come: it is looked at as if there were none before, and nothing that
   * is wrong now stays in use.
   */
  doubt(): void {
    this.#outdated = true
  }

  apply(changes: readonly Change[], revision: number): void {
    const accepted: Change[] = []
    for (const change of changes) {
      if (change.type === 'delete') {
        this.#rejected.delete(`${change.kind}/${change.id}`)
        if (this.#kinds.get(change.kind)?.delete(change.id)) accepted.push(change)
      } else if (this.#accepts(change.resource)) {
        ensure(this.#kinds, change.resource.kind).set(change.resource.id, change.resource)
        accepted.push(change)
      }
    }
    this.#revision = revision
    this.#announce(accepted)
  }

  /** What is right may have changed: takes in what was refused and is right now. */
  reconsider(): void {
    const accepted: Change[] = []
    for (const { resource } of [...this.#rejected.values()]) {
      if (!this.#accepts(resource)) continue
      ensure(this.#kinds, resource.kind).set(resource.id, resource)
      accepted.push({ type: 'put', resource })
    }
    this.#announce(accepted)
  }

  onChange(listener: (changes: readonly Change[]) => void): () => void {
    // wrapped, so that one function registered twice is heard twice and taken away once
    const own = (changes: readonly Change[]) => listener(changes)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  #replaceKind(kind: string, wanted: ReadonlyMap<string, Resource>, revision: number, changes: Change[]): void {
    const present = ensure(this.#kinds, kind)
    for (const id of [...present.keys()]) {
      if (wanted.has(id)) continue
      present.delete(id)
      changes.push({ type: 'delete', kind, id, revision })
    }
    const next: { readonly resource: Resource; readonly changed: boolean }[] = []
    for (const resource of wanted.values()) {
      const old = present.get(resource.id)
      const same = old !== undefined && isDeepStrictEqual(old.value, resource.value)
      const known = same && !this.#outdated
      if (known) this.#rejected.delete(`${kind}/${resource.id}`)
      if (known || this.#accepts(resource)) next.push({ resource, changed: !same })
      else if (old !== undefined && !this.#outdated) next.push({ resource: old, changed: false })
      else if (present.delete(resource.id)) changes.push({ type: 'delete', kind, id: resource.id, revision })
    }
    const places = [...present.keys()]
    let inPlace = true
    next.forEach(({ resource, changed }, index) => {
      inPlace &&= index >= places.length || places[index] === resource.id
      const moved = !inPlace && present.delete(resource.id)
      if (moved) changes.push({ type: 'delete', kind, id: resource.id, revision })
      present.set(resource.id, resource)
      if (changed || moved) changes.push({ type: 'put', resource })
    })
  }

  #accepts(resource: Resource): boolean {
    const { kind, id, value, modifiedIndex } = resource
    const key = `${kind}/${id}`
    const reason = this.#reasonAgainst(kind, id, value)
    if (reason === undefined) {
      this.#rejected.delete(key)
      return true
    }
    const kept = !this.#outdated && this.get(kind, id) !== undefined
    const before = this.#rejected.get(key)
    this.#rejected.set(key, { kind, id, reason, modifiedIndex, resource, kept })
    // a full re-read brings the same bad value again: once in the log is enough
    if (before?.modifiedIndex === modifiedIndex && before.reason === reason) return false
    this.#rejections++
    const outcome = kept ? 'its last good form stays in use' : 'it is left out'
    this.#options.log.error({ resource: key, reason }, `a resource cannot be used; ${outcome}`)
    return false
  }

  #reasonAgainst(kind: string, id: string, value: JsonObject): string | undefined {
    try {
      return this.#options.check(kind, id, value)
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : String(thrown)
    }
  }

  #forgetRejected(wanted: ReadonlyMap<string, ReadonlyMap<string, Resource>>): void {
    for (const [key, { kind, id }] of this.#rejected) {
      if (wanted.get(kind)?.has(id) !== true) this.#rejected.delete(key)
    }
  }

  #announce(changes: readonly Change[]): void {
    if (changes.length === 0) return
    for (const listener of [...this.#listeners]) {
      try {
        listener(changes)
      } catch (error) {
        // one listener's fault must neither keep the change from the others nor fail the write that caused it
        this.#options.log.error({ error }, 'a listener to configuration changes failed')
      }
    }
  }
}

function ensure(kinds: Map<string, Map<string, Resource>>, kind: string): Map<string, Resource> {
  let resources = kinds.get(kind)
  if (resources === undefined) {
    resources = new Map()
    kinds.set(kind, resources)
  }
  return resources
}
