/** The host names among upstream nodes: each is watched once, however many upstreams name it. Workers are told of changes. */

/** Watches one name; calls back with its address at first and at every change; undefined: it does not resolve. */
export interface Resolver {
  watch(host: string, onAddress: (address: string | undefined) => void): () => void
}

interface Watched {
  readonly owners: Set<string>
  stop: () => void
  answered: boolean
}

/** Undefined: there was an answer, and the name does not resolve. Null: nobody names it any more. */
export type NameState = string | undefined | null

export class NameWatch {
  readonly #resolver: Resolver
  readonly #changed: (host: string, state: NameState) => void
  readonly #hostsOf = new Map<string, readonly string[]>()
  readonly #watched = new Map<string, Watched>()
  readonly #addresses = new Map<string, string | undefined>()
  #settled: (() => void)[] = []

  constructor(resolver: Resolver, changed: (host: string, state: NameState) => void) {
    this.#resolver = resolver
    this.#changed = changed
  }

  /** What every name stands for now of which there was an answer. */
  get addresses(): readonly (readonly [string, string | undefined])[] {
    return [...this.#addresses]
  }

  /**
   * States all names of one owner anew. Those that it no longer has are let go by the function that is returned, which is to
   * be called once nobody uses their addresses any more.
   */
  set(owner: string, hosts: readonly string[]): () => void {
    const before = this.#hostsOf.get(owner) ?? []
    if (hosts.length === 0) this.#hostsOf.delete(owner)
    else this.#hostsOf.set(owner, hosts)
    for (const host of hosts) this.#join(host, owner)
    return () => {
      const now = this.#hostsOf.get(owner) ?? []
      for (const host of before) if (!now.includes(host)) this.#leave(host, owner)
    }
  }

  /** Resolves once every name has had its first answer, good or bad. */
  settled(): Promise<void> {
    if (this.#allAnswered()) return Promise.resolve()
    return new Promise((resolve) => this.#settled.push(resolve))
  }

  close(): void {
    for (const watched of this.#watched.values()) watched.stop()
    this.#watched.clear()
    this.#hostsOf.clear()
  }

  #join(host: string, owner: string): void {
    const known = this.#watched.get(host)
    if (known !== undefined) {
      known.owners.add(owner)
      return
    }
    const watched: Watched = { owners: new Set([owner]), stop: () => {}, answered: false }
    this.#watched.set(host, watched)
    watched.stop = this.#resolver.watch(host, (address) => {
      if (this.#watched.get(host) !== watched) return
      const news = !watched.answered || this.#addresses.get(host) !== address
      watched.answered = true
      this.#addresses.set(host, address)
      if (news) this.#changed(host, address)
      if (this.#settled.length > 0 && this.#allAnswered()) this.#release()
    })
  }

  #leave(host: string, owner: string): void {
    const watched = this.#watched.get(host)
    if (watched === undefined) return
    watched.owners.delete(owner)
    if (watched.owners.size > 0) return
    watched.stop()
    this.#watched.delete(host)
    this.#addresses.delete(host)
    this.#changed(host, null)
    if (this.#settled.length > 0 && this.#allAnswered()) this.#release()
  }

  #allAnswered(): boolean {
    for (const watched of this.#watched.values()) if (!watched.answered) return false
    return true
  }

  #release(): void {
    const waiting = this.#settled
    this.#settled = []
    for (const resolve of waiting) resolve()
  }
}
