/**
 * The upstreams of a worker by owner: each a cell that routes point at, over a fleet that outlives revisions. A cell whose
 * new value does not compile keeps the upstream it has.
 */
import { balancerOf } from '../balancer/index.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { Log } from '../observability/log.ts'
import type { UpstreamValue } from '../resources/upstream.ts'
import { Fleet } from '../upstream/fleet.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import { compileUpstream, nodeAddresses, nodeNames, type UpstreamSurroundings } from './compile-upstream.ts'
import { Dependents } from './dependents.ts'

interface Entry {
  readonly cell: UpstreamCell
  value: UpstreamValue | undefined
  fleet: Fleet | undefined
}

export class UpstreamCells {
  readonly #entries = new Map<string, Entry>()
  readonly #dependents = new Dependents()
  readonly #counters: SharedCounters
  readonly #around: UpstreamSurroundings
  readonly #log: Log

  constructor(counters: SharedCounters, around: UpstreamSurroundings, log: Log) {
    this.#counters = counters
    this.#around = around
    this.#log = log
  }

  /** The cell of an owner, empty until a value is put there: routes may be loaded before what they refer to. */
  cell(owner: string): UpstreamCell {
    return this.#entry(owner).cell
  }

  /** A new value for an owner; undefined: it has none any more. */
  put(owner: string, value: UpstreamValue | undefined): void {
    if (value === undefined) return this.#remove(owner)
    const entry = this.#entry(owner)
    const fleet = entry.fleet ?? new Fleet(owner, this.#counters)
    try {
      const upstream = compileUpstream(owner, value, fleet, this.#around)
      entry.value = value
      entry.fleet = fleet
      this.#refresh(entry)
      entry.cell.current = upstream
    } catch (error) {
      this.#log.error({ owner, error }, 'an upstream cannot be used; its last good form stays')
      return
    }
    const targets = nodeNames(value).map((name) => `host ${name}`)
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
    for (const owner of [...this.#dependents.of(`ssl ${id}`)]) this.put(owner, this.#entries.get(owner)?.value)
  }

  #entry(owner: string): Entry {
    let entry = this.#entries.get(owner)
    if (entry === undefined) {
      entry = { cell: { current: undefined }, value: undefined, fleet: undefined }
      this.#entries.set(owner, entry)
    }
    return entry
  }

  #refresh(entry: Entry): void {
    const balancer = balancerOf(entry.value?.type ?? '')
    if (entry.value === undefined || balancer === undefined) return
    entry.fleet?.update(balancer, nodeAddresses(entry.value, this.#around))
  }

  /** The cell itself stays: routes may still point at it, and the owner may come back. */
  #remove(owner: string): void {
    const entry = this.#entries.get(owner)
    if (entry === undefined) return
    entry.fleet?.retire()
    entry.fleet = undefined
    entry.value = undefined
    entry.cell.current = undefined
    this.#dependents.set(owner, [])
  }

  /** Forgets the cell of an owner that no route can point at any more. */
  forget(owner: string): void {
    this.#remove(owner)
    this.#entries.delete(owner)
  }
}
