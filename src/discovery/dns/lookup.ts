/**
 * One look-up of a name: the hosts file, then the servers, for A and AAAA records below the search domains. It remembers which
 * type a name had; it neither caches nor repeats.
 */
import { Resolver } from 'node:dns/promises'
import { isAddress } from '../../base/ip-set.ts'
import { after } from '../../base/timers.ts'
import { addressesIn, type Hosts, parseHosts } from './hosts.ts'
import { candidates, parseResolvConf, type ResolvConf } from './resolv-conf.ts'
import { WatchedFile } from './watched-file.ts'

export type RecordType = 'A' | 'AAAA'

export type Answer =
  | { readonly state: 'found'; readonly addresses: readonly string[]; readonly ttlS: number }
  /** The servers say that there is no such name, or that it has no address. */
  | { readonly state: 'absent'; readonly reason: string }
  /** Nobody could say; `silent`: not even in time. */
  | { readonly state: 'failed'; readonly reason: string; readonly silent: boolean }

export interface LookupOptions {
  /** Addresses, with `:port` if it is not 53 (`[::1]:5353`); none: those of resolv.conf. */
  readonly servers: readonly string[]
  readonly ipv6: boolean
  readonly search: boolean
  readonly timeoutMs: number
  /** Other places for the system's files. */
  readonly hostsPath?: string
  readonly resolvConfPath?: string
}

/** How long an entry of the hosts file is good: looking at the file's date is all that it costs. */
const hostsTtlS = 5
/** What resolv.conf(5) takes where it names no server. */
const lastResort = ['127.0.0.1']
/** What servers, and the library for a name that none could have, call nothing. */
const absences = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME'])

export class Lookup {
  readonly #options: LookupOptions
  readonly #resolver: Resolver
  readonly #hosts: WatchedFile<Hosts>
  readonly #resolvConf: WatchedFile<ResolvConf>
  #servers: string

  /** Throws for a server that is no address. */
  constructor(options: LookupOptions) {
    this.#options = options
    // Asked twice within the time: one lost datagram is no failure.
    this.#resolver = new Resolver({ timeout: Math.max(1, Math.ceil(options.timeoutMs / 2)), tries: 2 })
    this.#hosts = new WatchedFile(options.hostsPath ?? '/etc/hosts', parseHosts)
    this.#resolvConf = new WatchedFile(options.resolvConfPath ?? '/etc/resolv.conf', parseResolvConf)
    this.#servers = ''
    if (options.servers.length > 0) this.#use(options.servers)
  }

  /** Never rejects. `preferred` is asked for first: the type of the last answer for this name. */
  async find(name: string, preferred: RecordType | undefined): Promise<Answer> {
    const { ipv6, servers, search } = this.#options
    const host = name.toLowerCase()
    const local = addressesIn(this.#hosts.value, host.replace(/\.$/, '')).filter((address) => ipv6 || !isV6(address))
    if (local.length > 0) return { state: 'found', addresses: local, ttlS: hostsTtlS }
    const conf = this.#resolvConf.value
    if (servers.length === 0) this.#use(conf.servers.length === 0 ? lastResort : conf.servers)
    const names = candidates(host, search ? conf : { search: [], ndots: 1 })
    return this.#firstOf(names, this.#types(preferred))
  }

  /** Makes look-ups that are under way fail. */
  cancel(): void {
    this.#resolver.cancel()
  }

  #use(servers: readonly string[]): void {
    const wanted = servers.join(' ')
    if (wanted === this.#servers) return
    this.#resolver.setServers(servers)
    this.#servers = wanted
  }

  #types(preferred: RecordType | undefined): readonly RecordType[] {
    if (!this.#options.ipv6) return ['A']
    return preferred === 'AAAA' ? ['AAAA', 'A'] : ['A', 'AAAA']
  }

  async #firstOf(names: readonly string[], types: readonly RecordType[]): Promise<Answer> {
    let worst: Answer = { state: 'absent', reason: `${names[0]} has no address` }
    for (const name of names) {
      for (const type of types) {
        const answer = await this.#ask(name, type)
        if (answer.state === 'found') return answer
        // A server that refuses one of the names may know the next; one that does not answer would only cost time again.
        if (answer.state === 'failed' && answer.silent) return answer
        if (worst.state === 'absent') worst = answer
      }
    }
    return worst
  }

  async #ask(name: string, type: RecordType): Promise<Answer> {
    const asked =
      type === 'A' ? this.#resolver.resolve4(name, { ttl: true }) : this.#resolver.resolve6(name, { ttl: true })
    try {
      const records = await this.#inTime(asked)
      const addresses = [...new Set(records.map((record) => record.address))].filter(isAddress)
      if (addresses.length === 0) return { state: 'absent', reason: `${type} ${name}: ENODATA` }
      return { state: 'found', addresses, ttlS: Math.min(...records.map((record) => record.ttl)) }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error)
      const reason = `${type} ${name}: ${code}`
      return absences.has(code) ? { state: 'absent', reason } : { state: 'failed', reason, silent: code === 'ETIMEOUT' }
    }
  }

  /** The library's own limit holds for each server anew. */
  #inTime<T>(asked: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const late = after(timeoutMs, () => reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEOUT' })))
      asked.then(resolve, reject).finally(() => late.cancel())
    })
  }
}

/** The type that an answer was given by. */
export function typeOf(addresses: readonly string[]): RecordType {
  return addresses.some(isV6) ? 'AAAA' : 'A'
}

function isV6(address: string): boolean {
  return address.includes(':')
}
