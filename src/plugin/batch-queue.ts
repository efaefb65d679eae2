/**
 * Entries that are sent together: gathered until there are enough of them or they have waited long enough, sent again when that
 * failed. Bounded: beyond `maxPending` entries new ones are dropped, counted and told. How they are sent is the caller's.
 */
import { after, sleep, type Timer } from '../base/timers.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { Gauge } from '../observability/metrics.ts'
import type { Build } from './plugin.ts'

export interface BatchSettings {
  /** How log lines and metrics call it. */
  readonly name: string
  readonly batchMaxSize: number
  /** A batch is sent when so long no entry came, */
  readonly inactiveMs: number
  /** or its first entry is so old. */
  readonly bufferMs: number
  /** Further tries of a batch that failed, and how long before each. */
  readonly maxRetryCount: number
  readonly retryDelayMs: number
  /** Entries that may wait, those being sent included. Read while traffic runs. */
  readonly maxPending: () => number
}

/** Rejects when the entries did not arrive: with `PartialDelivery` if the first of them did. */
export type Deliver<T> = (entries: readonly T[]) => Promise<void>

export class PartialDelivery extends Error {
  /** Index of the first entry that did not arrive. */
  readonly firstFailed: number

  constructor(message: string, firstFailed: number) {
    super(message)
    this.firstFailed = firstFailed
  }
}

/** Batches of one queue that are under way at once; more wait. */
const maxUnderway = 8
const complainEveryMs = 1000

export class BatchQueue<T> {
  /** Entries that were dropped: there was no room, or they could not be delivered. */
  dropped = 0
  readonly #settings: BatchSettings
  readonly #deliver: Deliver<T>
  readonly #build: Pick<Build, 'log' | 'metrics' | 'output' | 'owner'>
  readonly #takeOut: () => void
  #gathered: T[] = []
  readonly #waiting: T[][] = []
  #firstAt = 0
  #lastAt = 0
  #pending = 0
  #underway = 0
  #timer: Timer | undefined = undefined
  #gauge: Gauge | undefined = undefined
  #idle: (() => void)[] = []
  #complainedAt = Number.NEGATIVE_INFINITY
  #unreported = 0

  /** Known to the thread as an output until it is closed. */
  constructor(
    settings: BatchSettings,
    deliver: Deliver<T>,
    build: Pick<Build, 'log' | 'metrics' | 'output' | 'owner'>,
  ) {
    this.#settings = settings
    this.#deliver = deliver
    this.#build = build
    this.#takeOut = build.output({ flush: () => this.flush() })
  }

  /** Entries that are not delivered and not given up yet. */
  get pending(): number {
    return this.#pending
  }

  /** Takes one entry; never waits, never throws. The first exchange gives the labels of its gauge. */
  push(entry: T, exchange: Exchange): void {
    const { batchMaxSize, maxPending } = this.#settings
    if (this.#pending >= maxPending()) return this.#noRoom()
    this.#pending++
    const now = performance.now()
    if (this.#gathered.length === 0) this.#firstAt = now
    this.#lastAt = now
    this.#gathered.push(entry)
    if (this.#gathered.length >= batchMaxSize) this.#send()
    else this.#timer ??= after(Math.min(this.#settings.inactiveMs, this.#settings.bufferMs), () => this.#look())
    this.#gauge ??= this.#gaugeFor(exchange)
    this.#gauge.value = this.#gathered.length
  }

  /** Sends what is gathered; resolves when nothing is pending any more. */
  flush(): Promise<void> {
    this.#send()
    if (this.#pending === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Nothing more will come: sends what is gathered, with all the tries that a batch has. */
  async close(): Promise<void> {
    await this.flush()
    this.#takeOut()
  }

  /** Some time is over: the batch goes, or is looked at again when it may be due. */
  #look(): void {
    this.#timer = undefined
    if (this.#gathered.length === 0) return
    const { inactiveMs, bufferMs } = this.#settings
    const dueAt = Math.min(this.#lastAt + inactiveMs, this.#firstAt + bufferMs)
    const leftMs = dueAt - performance.now()
    // A timer may be early by a part of a millisecond.
    if (leftMs < 1) this.#send()
    else this.#timer = after(Math.ceil(leftMs), () => this.#look())
  }

  #send(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#gathered.length === 0) return
    this.#waiting.push(this.#gathered)
    this.#gathered = []
    if (this.#gauge !== undefined) this.#gauge.value = 0
    this.#next()
  }

  #next(): void {
    while (this.#underway < maxUnderway) {
      const batch = this.#waiting.shift()
      if (batch === undefined) break
      this.#underway++
      void this.#carry(batch).then(() => {
        this.#underway--
        this.#next()
        if (this.#pending === 0) for (const resolve of this.#idle.splice(0)) resolve()
      })
    }
  }

  /** Tries until it has arrived or has to be given up. Never rejects. */
  async #carry(batch: T[]): Promise<void> {
    const { name, maxRetryCount, retryDelayMs } = this.#settings
    const { log, owner } = this.#build
    let entries: readonly T[] = batch
    for (let tries = 1; ; tries++) {
      try {
        await this.#deliver(entries)
        this.#pending -= entries.length
        return
      } catch (error) {
        const whole = entries.length
        if (error instanceof PartialDelivery) {
          entries = entries.slice(error.firstFailed)
          this.#pending -= whole - entries.length
        }
        log.error(
          { owner, entries: entries.length, of: whole, error },
          `Batch Processor[${name}] failed to process entries`,
        )
        if (tries <= maxRetryCount && entries.length > 0) {
          await sleep(retryDelayMs)
          continue
        }
        this.#pending -= entries.length
        this.dropped += entries.length
        log.error(
          { owner, entries: entries.length },
          `Batch Processor[${name}] exceeded the max_retry_count[${tries}] dropping the entries`,
        )
        return
      }
    }
  }

  #noRoom(): void {
    this.dropped++
    this.#unreported++
    const now = performance.now()
    if (now - this.#complainedAt < complainEveryMs) return
    const { log, owner } = this.#build
    const { name } = this.#settings
    log.error(
      { owner, name, dropped: this.#unreported, limit: this.#settings.maxPending() },
      'max pending entries limit exceeded. discarding entry.',
    )
    this.#complainedAt = now
    this.#unreported = 0
  }

  #gaugeFor(exchange: Exchange): Gauge {
    const help = 'Entries that wait in the queue of a logger'
    const family = this.#build.metrics.gauge('batch_process_entries', help, ['name', 'route_id', 'server_addr'])
    return family.with(this.#settings.name, exchange.route?.id ?? '', exchange.variable('server_addr') ?? '')
  }
}
