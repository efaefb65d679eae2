/**
 * Names of upstream nodes, kept resolved: each name is looked up once for all who watch it, again when its time is over, and
 * gives one address. For the main thread: workers are told addresses and resolve nothing.
 */
import { isAddress } from '../../base/ip-set.ts'
import { type Timer, TimerWheel } from '../../base/timers.ts'
import { type Log, silentLog } from '../../observability/log.ts'
import { type Answer, Lookup, type LookupOptions, type RecordType, typeOf } from './lookup.ts'

export interface DnsResolverOptions {
  /** `apisix.dns_resolver`; default: the system's. */
  readonly servers?: readonly string[]
  /** `apisix.dns_resolver_valid`, s: instead of what the records say. */
  readonly validS?: number | undefined
  /** `apisix.resolver_timeout`, ms. Default 5000. */
  readonly timeoutMs?: number
  /** `apisix.enable_ipv6`: also AAAA records. Default true. */
  readonly ipv6?: boolean
  /** `apisix.enable_resolv_search_opt`. Default true. */
  readonly search?: boolean
  /** Look-ups under way at once; more wait. Default 32. */
  readonly maxLookups?: number
  readonly log?: Log
  /** Default: one of its own, which keeps no thread alive. */
  readonly wheel?: TimerWheel
  readonly hostsPath?: string
  readonly resolvConfPath?: string
}

export type OnAddress = (address: string | undefined) => void

const minTtlS = 1
const maxTtlS = 86_400
/** After a failure, and after an answer that there is no such name: doubling from the one to the other. */
const firstRetryMs = 1_000
const lastRetryMs = 30_000

export class DnsResolver {
  readonly #lookup: Lookup
  readonly #validS: number | undefined
  readonly #maxLookups: number
  readonly #log: Log
  readonly #wheel: TimerWheel
  readonly #names: Map<string, Name>
  readonly #waiting: Set<Name>
  #running: number
  #closed: boolean

  /** Throws for a server that is no address. */
  constructor(options: DnsResolverOptions = {}) {
    const { servers = [], timeoutMs = 5_000, ipv6 = true, search = true, hostsPath, resolvConfPath } = options
    const lookup: LookupOptions = {
      servers,
      ipv6,
      search,
      timeoutMs,
      ...(hostsPath === undefined ? {} : { hostsPath }),
      ...(resolvConfPath === undefined ? {} : { resolvConfPath }),
    }
    this.#lookup = new Lookup(lookup)
    this.#validS = options.validS
    this.#maxLookups = options.maxLookups ?? 32
    this.#log = options.log ?? silentLog
    this.#wheel = options.wheel ?? new TimerWheel({ unref: true })
    this.#names = new Map()
    this.#waiting = new Set()
    this.#running = 0
    this.#closed = false
  }

  /** Names that somebody watches. */
  get size(): number {
    return this.#names.size
  }

  /**
   * Calls `onAddress` with an address of the host as soon as there is one, or with undefined when it has none, and again
   * whenever that changes. The address is one of the answer, drawn by lot, and stays for as long as answers contain it.
   * When servers fail, the last address stays. Never calls before it returned, nor after the returned function was called.
   */
  watch(host: string, onAddress: OnAddress): () => void {
    const watcher = { onAddress }
    if (isAddress(host)) {
      queueMicrotask(() => watcher.onAddress(host))
      return () => {
        watcher.onAddress = ignore
      }
    }
    const key = host.toLowerCase()
    let name = this.#names.get(key)
    if (name === undefined) {
      name = new Name(key, this)
      this.#names.set(key, name)
      this.#enqueue(name)
    }
    const watched = name
    watched.watchers.add(watcher)
    if (watched.state !== 'new') queueMicrotask(() => watcher.onAddress(watched.address))
    return () => {
      watcher.onAddress = ignore
      watched.watchers.delete(watcher)
      if (watched.watchers.size === 0) this.#forget(watched)
    }
  }

  /** Ends everything. No watcher hears more. */
  close(): void {
    this.#closed = true
    for (const name of this.#names.values()) this.#forget(name)
    this.#lookup.cancel()
  }

  /** For names whose time is over. */
  due(name: Name): void {
    this.#enqueue(name)
  }

  #forget(name: Name): void {
    name.timer?.cancel()
    name.timer = undefined
    name.watchers.clear()
    this.#waiting.delete(name)
    if (this.#names.get(name.host) === name) this.#names.delete(name.host)
  }

  #enqueue(name: Name): void {
    name.timer = undefined
    this.#waiting.add(name)
    this.#next()
  }

  #next(): void {
    while (this.#running < this.#maxLookups) {
      const [name] = this.#waiting
      if (name === undefined) return
      this.#waiting.delete(name)
      this.#running += 1
      void this.#refresh(name)
    }
  }

  async #refresh(name: Name): Promise<void> {
    const answer = await this.#lookup.find(name.host, name.type)
    this.#running -= 1
    // Nobody may be left to tell, and the same host may be watched anew by now.
    if (!this.#closed && this.#names.get(name.host) === name) {
      this.#report(name, answer)
      name.timer = this.#wheel.start(this.#nextMs(name, answer), name)
      name.take(answer)
    }
    this.#next()
  }

  #nextMs(name: Name, answer: Answer): number {
    if (answer.state !== 'found') return Math.min(firstRetryMs * 2 ** name.misses, lastRetryMs)
    const ttlS = this.#validS ?? answer.ttlS
    return Math.min(Math.max(ttlS, minTtlS), maxTtlS) * 1_000
  }

  #report(name: Name, answer: Answer): void {
    if (answer.state === name.state) return
    if (answer.state === 'found') {
      if (name.state !== 'new') this.#log.info({ host: name.host }, 'a name resolves again')
    } else if (answer.state === 'absent') {
      this.#log.warn({ host: name.host, reason: answer.reason }, 'a name does not resolve; its nodes are left out')
    } else {
      const kept = name.address
      this.#log.error(
        { host: name.host, reason: answer.reason, kept },
        'a name cannot be looked up; its last address stays',
      )
    }
  }
}

/** One host that is watched. */
class Name {
  readonly host: string
  readonly watchers: Set<{ onAddress: OnAddress }>
  readonly #resolver: DnsResolver
  state: 'new' | Answer['state']
  address: string | undefined
  /** Of the last answer. */
  type: RecordType | undefined
  /** Look-ups in a row that gave no address. */
  misses: number
  timer: Timer | undefined

  constructor(host: string, resolver: DnsResolver) {
    this.host = host
    this.watchers = new Set()
    this.#resolver = resolver
    this.state = 'new'
    this.address = undefined
    this.type = undefined
    this.misses = 0
    this.timer = undefined
  }

  /** For the wheel. */
  expired(): void {
    this.#resolver.due(this)
  }

  take(answer: Answer): void {
    const before = this.address
    const first = this.state === 'new'
    this.state = answer.state
    if (answer.state === 'found') {
      this.misses = 0
      this.type = typeOf(answer.addresses)
      if (before === undefined || !answer.addresses.includes(before)) this.address = oneOf(answer.addresses)
    } else {
      this.misses += 1
      if (answer.state === 'absent') this.address = undefined
    }
    if (!first && this.address === before) return
    for (const watcher of [...this.watchers]) watcher.onAddress(this.address)
  }
}

function oneOf(addresses: readonly string[]): string | undefined {
  return addresses[Math.floor(Math.random() * addresses.length)]
}

function ignore(): void {}
