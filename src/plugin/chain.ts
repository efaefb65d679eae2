/** The plugins of one route, merged, sorted and reduced to one array per phase. */
import type { Phases } from './plugin.ts'

export type Preread = NonNullable<Phases['preread']>
export type HttpStep = NonNullable<Phases['rewrite']>
export type HeaderFilter = NonNullable<Phases['headerFilter']>
export type LogStep = NonNullable<Phases['log']>

export interface Chain {
  /** Highest priority first; undefined when no plugin has the phase, so that traffic asks one field. */
  readonly preread: readonly Preread[] | undefined
  readonly rewrite: readonly HttpStep[] | undefined
  readonly access: readonly HttpStep[] | undefined
  readonly beforeProxy: readonly HttpStep[] | undefined
  readonly headerFilter: readonly HeaderFilter[] | undefined
  readonly log: readonly LogStep[] | undefined
  /** In order of execution. */
  readonly names: readonly string[]
  /** Lets go of what the plugins hold. Called when no snapshot has the chain any more. */
  close(): void
}

export const emptyChain: Chain = {
  preread: undefined,
  rewrite: undefined,
  access: undefined,
  beforeProxy: undefined,
  headerFilter: undefined,
  log: undefined,
  names: [],
  close() {},
}
