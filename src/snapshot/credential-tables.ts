/**
 * Credentials by what they are found by: plugin, field and value. A table for a field is made when it is first asked for, and
 * kept up to date from then on; which fields are asked for is up to the plugins' code, so there are few.
 */
import type { ConsumerMatch } from '../plugin/consumer-directory.ts'

/** One plugin's configuration on a consumer or credential. */
export interface Credential {
  readonly plugin: string
  /** Its place in load order. */
  readonly order: number
  /** False: it is there, and identifies nobody. */
  readonly usable: boolean
  readonly match: ConsumerMatch
}

/** Value → credentials that have it, in load order: nearly always one. */
type Table = Map<string, Credential[]>

export class CredentialTables {
  /** By plugin, all of them. */
  readonly #all = new Map<string, Set<Credential>>()
  /** By plugin and field. */
  readonly #tables = new Map<string, Map<string, Table>>()

  /** The one loaded last, of those with that text in that field. */
  find(plugin: string, field: string, value: string): ConsumerMatch | undefined {
    const table = this.#tables.get(plugin)?.get(field) ?? this.#build(plugin, field)
    return table?.get(value)?.at(-1)?.match
  }

  has(plugin: string): boolean {
    return this.#all.has(plugin)
  }

  replace(before: readonly Credential[], after: readonly Credential[]): void {
    for (const credential of before) this.#remove(credential)
    for (const credential of after) this.#add(credential)
  }

  #build(plugin: string, field: string): Table | undefined {
    const all = this.#all.get(plugin)
    // Nobody has such a plugin: asking must not leave anything behind.
    if (all === undefined) return undefined
    const table: Table = new Map()
    for (const credential of all) insert(table, field, credential)
    const fields = this.#tables.get(plugin) ?? new Map<string, Table>()
    fields.set(field, table)
    this.#tables.set(plugin, fields)
    return table
  }

  #add(credential: Credential): void {
    const { plugin } = credential
    const all = this.#all.get(plugin)
    if (all === undefined) this.#all.set(plugin, new Set([credential]))
    else all.add(credential)
    for (const [field, table] of this.#tables.get(plugin) ?? []) insert(table, field, credential)
  }

  #remove(credential: Credential): void {
    const { plugin } = credential
    const all = this.#all.get(plugin)
    all?.delete(credential)
    if (all?.size === 0) {
      this.#all.delete(plugin)
      this.#tables.delete(plugin)
      return
    }
    for (const [field, table] of this.#tables.get(plugin) ?? []) {
      const value = textIn(credential, field)
      const bucket = value === undefined ? undefined : table.get(value)
      if (value === undefined || bucket === undefined) continue
      const rest = bucket.filter((other) => other !== credential)
      if (rest.length === 0) table.delete(value)
      else table.set(value, rest)
    }
  }
}

function insert(table: Table, field: string, credential: Credential): void {
  const value = textIn(credential, field)
  if (value === undefined) return
  const bucket = table.get(value)
  if (bucket === undefined) {
    table.set(value, [credential])
    return
  }
  const at = bucket.findIndex(({ order }) => order > credential.order)
  bucket.splice(at === -1 ? bucket.length : at, 0, credential)
}

function textIn({ usable, match }: Credential, field: string): string | undefined {
  const value = usable ? match.conf[field] : undefined
  return typeof value === 'string' ? value : undefined
}
