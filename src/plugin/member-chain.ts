/** Chains made of members: sorted, one array for each phase. It starts no plugin; it holds those it is given. */
import { type Chain, emptyChain, type HeaderFilter, type HttpStep, type LogStep, type Preread } from './chain.ts'
import type { Member } from './member.ts'

export class MemberChain implements Chain {
  readonly members: readonly Member[]
  readonly preread: readonly Preread[] | undefined
  readonly rewrite: readonly HttpStep[] | undefined
  readonly access: readonly HttpStep[] | undefined
  readonly beforeProxy: readonly HttpStep[] | undefined
  readonly headerFilter: readonly HeaderFilter[] | undefined
  readonly log: readonly LogStep[] | undefined
  readonly names: readonly string[]
  #holds: boolean

  /** `members` in order. `holds`: they live until the chain is closed at least; otherwise somebody else sees to that. */
  constructor(members: readonly Member[], holds: boolean) {
    if (holds) for (const member of members) member.hold()
    this.#holds = holds
    this.members = members
    this.preread = steps(members, 'preread')
    this.rewrite = rewriteSteps(members, members)
    this.access = steps(members, 'access')
    this.beforeProxy = steps(members, 'beforeProxy')
    this.headerFilter = steps(members, 'headerFilter')
    this.log = steps(members, 'log')
    this.names = members.map(({ plugin }) => plugin.name)
  }

  close(): void {
    if (!this.#holds) return
    this.#holds = false
    for (const member of this.members) member.release()
  }
}

/** The chain of these members, in order of execution; the empty one for none. It holds them. */
export function chainOf(members: readonly Member[]): Chain {
  return members.length === 0 ? emptyChain : new MemberChain(inOrder(members), true)
}

/** A part of another chain, to be used for as long as that one is held. `members` in order. */
export function viewOf(members: readonly Member[]): Chain {
  return members.length === 0 ? emptyChain : new MemberChain(members, false)
}

export function membersOf(chain: Chain): readonly Member[] {
  return chain instanceof MemberChain ? chain.members : []
}

/** Highest priority first. Where `_meta.priority` makes two alike, they stay in their plugins' own order. */
export function inOrder(members: readonly Member[]): readonly Member[] {
  return [...members].sort((a, b) => b.priority - a.priority || b.plugin.priority - a.plugin.priority)
}

/** Those of `members`, after the body was loaded if any of `needy` looks into it. */
export function rewriteSteps(members: readonly Member[], needy: readonly Member[]): readonly HttpStep[] | undefined {
  const loadBody = needy.find((member) => member.loadBody !== undefined)?.loadBody
  const own = steps(members, 'rewrite')
  return loadBody === undefined ? own : [loadBody, ...(own ?? [])]
}

type PhaseName = 'preread' | 'rewrite' | 'access' | 'beforeProxy' | 'headerFilter' | 'log'

/** The steps of one phase in order; undefined for none. */
function steps<P extends PhaseName>(
  members: readonly Member[],
  phase: P,
): readonly NonNullable<Member[P]>[] | undefined {
  const found: NonNullable<Member[P]>[] = []
  for (const member of members) {
    const step = member[phase]
    if (step !== undefined) found.push(step as NonNullable<Member[P]>)
  }
  return found.length === 0 ? undefined : found
}
