/** The plugins of one route, merged, sorted and reduced to one array per phase. */
import type { Phases } from './plugin.ts'

export interface Chain {
  readonly preread: readonly NonNullable<Phases['preread']>[]
  readonly log: readonly NonNullable<Phases['log']>[]
  readonly names: readonly string[]
}
