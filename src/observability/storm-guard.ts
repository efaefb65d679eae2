/**
 * Keeps one message that is repeated thousands of times a second from filling the disk: each message may pass so often a second,
 * the rest is counted and told in one line. It holds no timer; whoever asks says what time it is.
 */

/** What was held back of one message in the second that is over. */
export interface HeldBack {
  readonly level: string
  readonly message: string
  readonly count: number
}

interface Entry {
  readonly level: string
  passed: number
  held: number
}

export class StormGuard {
  readonly #perSecond: number
  readonly #maxMessages: number
  #entries: Map<string, Entry>
  #since: number

  /** `maxMessages` bounds the table of distinct messages of one second; beyond it, those share the entry `other messages`. */
  constructor({ perSecond = 100, maxMessages = 1000 }: { perSecond?: number; maxMessages?: number } = {}) {
    this.#perSecond = perSecond
    this.#maxMessages = maxMessages
    this.#entries = new Map()
    this.#since = Number.NEGATIVE_INFINITY
  }

  /** Whether this message may be written now; if not, it has been counted. Call `sweep` first when `due`. */
  admit(level: string, message: string, nowMs: number): boolean {
    if (this.#entries.size === 0) this.#since = nowMs
    const entry = this.#entry(level, message)
    if (entry.passed < this.#perSecond) {
      entry.passed += 1
      return true
    }
    entry.held += 1
    return false
  }

  /** The second that the counts belong to is over. */
  due(nowMs: number): boolean {
    return this.#entries.size > 0 && nowMs - this.#since >= 1000
  }

  /** What was held back since the last sweep; every message may pass again. */
  sweep(): HeldBack[] {
    const held: HeldBack[] = []
    for (const [message, entry] of this.#entries) {
      if (entry.held > 0) held.push({ level: entry.level, message, count: entry.held })
    }
    this.#entries.clear()
    return held
  }

  #entry(level: string, message: string): Entry {
    const known = this.#entries.get(message)
    if (known !== undefined) return known
    const name = this.#entries.size < this.#maxMessages ? message : 'other messages'
    const entry = this.#entries.get(name) ?? { level, passed: 0, held: 0 }
    this.#entries.set(name, entry)
    return entry
  }
}
