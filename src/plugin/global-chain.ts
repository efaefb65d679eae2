/**
 * The plugins of all global rules. Some of them (run policy `prefer_route`) step aside where the route has them as well, so
 * the chain to run depends on the route's.
 */
import type { Chain } from './chain.ts'
import { membersOf, viewOf } from './member-chain.ts'

export class GlobalChain {
  /** All of them: what is held while an exchange runs any of what `beside` gives, and closed in the end. */
  readonly chain: Chain
  readonly #yielding: readonly string[]
  readonly #beside = new WeakMap<Chain, Chain>()
  /** By the names that are left out. */
  readonly #variants = new Map<string, Chain>()

  constructor(chain: Chain) {
    this.chain = chain
    this.#yielding = membersOf(chain)
      .filter(({ plugin }) => plugin.runPolicy === 'prefer_route')
      .map(({ plugin }) => plugin.name)
  }

  /** What runs of it for an exchange whose route (with its consumer's plugins) has this chain. */
  beside(route: Chain): Chain {
    if (this.#yielding.length === 0) return this.chain
    let found = this.#beside.get(route)
    if (found === undefined) {
      found = this.#without(this.#yielding.filter((name) => route.names.includes(name)))
      this.#beside.set(route, found)
    }
    return found
  }

  /** Only a few plugins ever yield, so there are only a few variants. */
  #without(names: readonly string[]): Chain {
    if (names.length === 0) return this.chain
    const key = names.join(' ')
    let variant = this.#variants.get(key)
    if (variant === undefined) {
      variant = viewOf(membersOf(this.chain).filter(({ plugin }) => !names.includes(plugin.name)))
      this.#variants.set(key, variant)
    }
    return variant
  }
}
