/**
 * The upstreams of a worker by owner: each a cell that routes point at, over a fleet that outlives revisions. A cell whose
 * new value does not compile keeps the upstream it has.
 */
import { isDeepStrictEqual } from 'node:util'
import { balancerOf } from '../balancer/index.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { Log } from '../observability/log.ts'
import type { UpstreamValue } from '../resources/upstream.ts'
import { Fleet } from '../upstream/fleet.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import { compileUpstream, nodeAddresses, nodeNames, type UpstreamSurroundings } from './compile-upstream.ts'
import { Dependents } from './dependents.ts'

interface Entry extends UpstreamCell {
  readonly owner: string
  /** In force. */
  value: UpstreamValue | undefined
  /** The newest; it differs from `value` when it does not compile. */
  wanted: UpstreamValue | undefined
  fleet: Fleet | undefined
  /** Routes that point here. */
  users: number
}

export interface CellSurroundings extends UpstreamSurroundings {
  /** There was no answer yet to the question what this name stands for. */
  readonly pending: (host: string) => boolean
}

export class UpstreamCells {
  readonly #entries = new Map<string, Entry>()
  readonly #dependents = new Dependents()
  readonly #counters: SharedCounters
  readonly #around: CellSurroundings
  readonly #log: Log

  constructor(counters: SharedCounters, around: CellSurroundings, log: Log) {
    this.#counters = counters
    this.#around = around
    this.#log = log
  }

  /** The cell of an owner, empty until a value is put there: routes may be loaded before what they refer to. */
  cell(owner: string): UpstreamCell {
    return this.#entry(owner)
  }

  /** A route points at the cell from now on. */
  hold(cell: UpstreamCell): void {
    ;(cell as Entry).users++
  }

  /** A route no longer does. An empty cell that nobody points at is forgotten. */
  release(cell: UpstreamCell): void {
    const entry = cell as Entry
    entry.users--
    this.#sweep(entry)
  }

  /** The cell of an owner, held until it is released. */
  lease(owner: string): { readonly cell: UpstreamCell; release(): void } {
    const cell = this.#entry(owner)
    cell.users++
    return { cell, release: () => this.release(cell) }
  }

  /** An upstream that stands in something with an owner of its own: put there, and gone with the last lease of it. */
  own(owner: string, value: UpstreamValue): { readonly cell: UpstreamCell; release(): void } {
    const entry = this.#entry(owner)
    if (!isDeepStrictEqual(entry.wanted, value)) this.put(owner, value)
    entry.users++
    return {
      cell: entry,
      release: () => {
        entry.users--
        if (entry.users === 0) this.#remove(owner)
      },
    }
  }

  /** How many owners are known, those included that routes wait for. */
  get size(): number {
    return this.#entries.size
  }

  /** A new value for an owner; undefined: it has none any more. */
  put(owner: string, value: UpstreamValue | undefined): void {
    if (value === undefined) return this.#remove(owner)
    const entry = this.#entry(owner)
    entry.wanted = value
    const fleet = entry.fleet ?? new Fleet(owner, this.#counters)
    try {
      const upstream = compileUpstream(owner, value, fleet, this.#around)
      entry.value = value
      entry.fleet = fleet
      this.#refresh(entry)
      entry.current = upstream
    } catch (error) {
      this.#log.error({ owner, error }, 'an upstream cannot be used; its last good form stays')
    }
    // What is wanted may lack nothing but a certificate that comes later.
    const targets = entry.value === undefined ? [] : nodeNames(entry.value).map((name) => `host ${name}`)
    if (value.tls?.client_cert_id !== undefined) targets.push(`ssl ${value.tls.client_cert_id}`)
    this.#dependents.set(owner, targets)
  }

  /** The address of a name changed: only the endpoints of its owners are made anew. */
  addressChanged(host: string): void {
    for (const owner of this.#dependents.of(`host ${host}`)) {
      const entry = this.#entries.get(owner)
      if (entry !== undefined) this.#refresh(entry)
    }
  }

  /** A certificate changed: whoever presents it to its nodes is compiled again. */
  sslChanged(id: string): void {
    for (const owner of [...this.#dependents.of(`ssl ${id}`)]) this.put(owner, this.#entries.get(owner)?.wanted)
  }

  /** The value in force; undefined: there is none. */
  value(owner: string): UpstreamValue | undefined {
    return this.#entries.get(owner)?.value
  }

  #entry(owner: string): Entry {
    let entry = this.#entries.get(owner)
    if (entry === undefined) {
      entry = { owner, current: undefined, value: undefined, wanted: undefined, fleet: undefined, users: 0 }
      this.#entries.set(owner, entry)
    }
    return entry
  }

  #refresh(entry: Entry): void {
    const { fleet, value } = entry
    const balancer = balancerOf(value?.type ?? '')
    if (value === undefined || fleet === undefined || balancer === undefined) return
    const nodes = nodeAddresses(value, this.#around)
    // New names take a moment to resolve: until then the nodes before serve, rather than none.
    if (nodes.length === 0 && fleet.size > 0 && nodeNames(value).some(this.#around.pending)) return
    fleet.update(balancer, nodes)
  }

  /** The cell itself stays while routes point at it: the owner may come back. */
  #remove(owner: string): void {
    const entry = this.#entries.get(owner)
    if (entry === undefined) return
    entry.fleet?.retire()
    entry.fleet = undefined
    entry.value = undefined
    entry.wanted = undefined
    entry.current = undefined
    this.#dependents.set(owner, [])
    this.#sweep(entry)
  }

  #sweep(entry: Entry): void {
    if (entry.users === 0 && entry.wanted === undefined) this.#entries.delete(entry.owner)
  }
}
