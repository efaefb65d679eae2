/**
 * Which plugin chains sessions are still on: a chain that left the configuration is closed when the last session that
 * began under it has run its log phase. Chains without plugins hold nothing and are not counted.
 */
import { type Chain, emptyChain } from '../plugin/chain.ts'

interface Lease {
  sessions: number
  isRetired: boolean
}

export class ChainLeases {
  /** A lease stays as long as its chain: to come and go with sessions would cost each of them more than its count. */
  readonly #leases = new WeakMap<Chain, Lease>()

  /** A session begins under the chain. */
  take(chain: Chain): void {
    if (chain !== emptyChain) this.#of(chain).sessions += 1
  }

  /** A session that began under the chain has ended. Once for each `take`. */
  give(chain: Chain): void {
    if (chain === emptyChain) return
    const lease = this.#of(chain)
    if (lease.sessions > 0) lease.sessions -= 1
    if (lease.sessions === 0 && lease.isRetired) this.#close(chain, lease)
  }

  /** No new session will begin under the chain. */
  retire(chain: Chain): void {
    const lease = this.#of(chain)
    if (lease.sessions === 0) this.#close(chain, lease)
    else lease.isRetired = true
  }

  #close(chain: Chain, lease: Lease): void {
    lease.isRetired = false
    chain.close()
  }

  #of(chain: Chain): Lease {
    let lease = this.#leases.get(chain)
    if (lease === undefined) {
      lease = { sessions: 0, isRetired: false }
      this.#leases.set(chain, lease)
    }
    return lease
  }
}
