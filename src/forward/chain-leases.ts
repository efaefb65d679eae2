/**
 * Which plugin chains sessions are still on: a chain that left the configuration is closed when the last session that
 * began under it has run its log phase. Chains without plugins hold nothing and are not counted.
 */
import { type Chain, emptyChain } from '../plugin/chain.ts'

export class ChainLeases {
  readonly #sessions = new Map<Chain, number>()
  readonly #retired = new Set<Chain>()

  /** A session begins under the chain. */
  take(chain: Chain): void {
    if (chain !== emptyChain) this.#sessions.set(chain, (this.#sessions.get(chain) ?? 0) + 1)
  }

  /** A session that began under the chain has ended. Once for each `take`. */
  give(chain: Chain): void {
    const left = (this.#sessions.get(chain) ?? 0) - 1
    if (left > 0) {
      this.#sessions.set(chain, left)
      return
    }
    this.#sessions.delete(chain)
    if (this.#retired.delete(chain)) chain.close()
  }

  /** No new session will begin under the chain. */
  retire(chain: Chain): void {
    if (this.#sessions.has(chain)) this.#retired.add(chain)
    else chain.close()
  }
}
