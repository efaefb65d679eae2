/**
 * What limit-conn does in either subsystem: takes a place for an exchange, delays it when it is above `conn`, and gives the
 * place back when the exchange has ended. Whose places, and what a refusal looks like, is for the plugins.
 */
import { type Exchange, sleep } from '#sdk'
import type { ConnCounter, Entry, Place } from './conn-counter.ts'

/** What one rule says about one exchange. */
export interface Due {
  readonly key: string
  readonly conn: number
  readonly burst: number
}

export interface LimiterOptions<Verdict> {
  readonly counter: ConnCounter
  /** Seconds that an exchange waits for each multiple of `conn` that it is above. */
  readonly defaultDelay: number
  readonly refusal: Verdict
  /** What becomes of an exchange when its places cannot be counted. */
  readonly failed: (error: unknown) => Verdict | undefined
}

/** What an exchange holds until it ends. */
interface Stay {
  readonly places: Place[]
  delayMs: number
  ended: boolean
}

const unusable = 'the table of shared counters is full'

export class ConnLimiter<Verdict extends object> {
  readonly #options: LimiterOptions<Verdict>
  readonly #stays = new Map<Exchange, Stay>()
  #unitDelay: number

  constructor(options: LimiterOptions<Verdict>) {
    this.#options = options
    this.#unitDelay = options.defaultDelay
  }

  enter(exchange: Exchange, dues: readonly Due[]): Verdict | undefined | Promise<Verdict | undefined> {
    const stay = { places: [], delayMs: 0, ended: false }
    this.#stays.set(exchange, stay)
    return this.#enter(stay, dues, 0)
  }

  /** For the log phase. Ms that the exchange had to wait here; undefined: it was never let in. */
  leave(exchange: Exchange): number | undefined {
    const stay = this.#stays.get(exchange)
    if (stay === undefined) return undefined
    this.#stays.delete(exchange)
    stay.ended = true
    for (const place of stay.places) place.leave()
    return stay.places.length === 0 ? undefined : stay.delayMs
  }

  /** How long an exchange took counts for the next delays. */
  learn(seconds: number): void {
    this.#unitDelay = (this.#unitDelay + seconds) / 2
  }

  #enter(stay: Stay, dues: readonly Due[], from: number): Verdict | undefined | Promise<Verdict | undefined> {
    for (let at = from; at < dues.length; at += 1) {
      const due = dues[at] as Due
      const entry = this.#options.counter.enter(due.key, due.conn + due.burst)
      if (entry instanceof Promise) {
        const settled = entry.then(
          (came) => this.#take(stay, due, came),
          (error) => this.#options.failed(error),
        )
        return settled.then((verdict) => verdict ?? this.#enter(stay, dues, at + 1))
      }
      const verdict = this.#take(stay, due, entry)
      if (verdict !== undefined) return verdict
    }
    return stay.delayMs < 1 ? undefined : sleep(stay.delayMs).then(() => undefined)
  }

  #take(stay: Stay, { conn }: Due, entry: Entry): Verdict | undefined {
    if (entry === undefined) return this.#options.failed(new Error(unusable))
    if (entry === 'full') return this.#options.refusal
    // It has ended while Redis was asked: nobody will come to give the place back.
    if (stay.ended) entry.leave()
    else stay.places.push(entry)
    if (entry.taken > conn) stay.delayMs += this.#unitDelay * Math.floor((entry.taken - 1) / conn) * 1000
    return undefined
  }
}
