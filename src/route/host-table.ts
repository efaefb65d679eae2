/**
 * Values by host pattern, immutable: one host, or all that end in a suffix. It only finds what is filed; in which order
 * suffixes are tried, and when to stop, is up to who asks.
 */
import { changeCount } from './change.ts'
import type { HostPattern } from './host-pattern.ts'
import { PersistentMap } from './persistent-map.ts'

const dot = 0x2e

interface Parts<Value> {
  readonly exact: PersistentMap<string, Value>
  readonly suffixes: PersistentMap<string, Value>
  /** How many suffixes there are of each length: those that begin with a dot, and the others. */
  readonly dotted: ReadonlyMap<number, number>
  readonly plain: ReadonlyMap<number, number>
}

export class HostTable<Value> {
  readonly #parts: Parts<Value>
  readonly #longest: number

  private constructor(parts: Parts<Value>) {
    this.#parts = parts
    this.#longest = Math.max(-1, ...parts.dotted.keys(), ...parts.plain.keys())
  }

  static empty<Value>(): HostTable<Value> {
    const exact = PersistentMap.empty<string, Value>()
    return new HostTable({ exact, suffixes: exact, dotted: new Map(), plain: new Map() })
  }

  get isEmpty(): boolean {
    return this.#parts.exact.size === 0 && this.#parts.suffixes.size === 0
  }

  get({ text, suffix }: HostPattern): Value | undefined {
    return suffix ? this.#parts.suffixes.get(text) : this.#parts.exact.get(text)
  }

  exact(host: string): Value | undefined {
    return this.#parts.exact.get(host)
  }

  /**
   * Where in the host, at `from` or behind it, a suffix may begin that is filed here; -1: nowhere. Longer suffixes come
   * first; the empty one, an asterisk alone, begins at the end.
   */
  nextSuffix(host: string, from: number): number {
    const { dotted, plain } = this.#parts
    const { length } = host
    for (let at = Math.max(from, length - this.#longest); at <= length; at += 1) {
      if ((host.charCodeAt(at) === dot ? dotted : plain).has(length - at)) return at
    }
    return -1
  }

  suffix(host: string, at: number): Value | undefined {
    return this.#parts.suffixes.get(host.slice(at))
  }

  /** This table with other values for some patterns, undefined for none. */
  with(updates: readonly (readonly [HostPattern, Value | undefined])[]): HostTable<Value> {
    const exact = new Map<string, Value | undefined>()
    const suffixes = new Map<string, Value | undefined>()
    for (const [{ text, suffix }, value] of updates) (suffix ? suffixes : exact).set(text, value)
    return new HostTable({
      exact: this.#parts.exact.with(exact),
      suffixes: this.#parts.suffixes.with(suffixes),
      ...this.#countLengths(suffixes),
    })
  }

  #countLengths(changed: ReadonlyMap<string, Value | undefined>): Pick<Parts<Value>, 'dotted' | 'plain'> {
    const { dotted, plain, suffixes } = this.#parts
    if (changed.size === 0) return { dotted, plain }
    const counts = { dotted: new Map(dotted), plain: new Map(plain) }
    for (const [suffix, value] of changed) {
      const by = Number(value !== undefined) - Number(suffixes.get(suffix) !== undefined)
      changeCount(suffix.startsWith('.') ? counts.dotted : counts.plain, suffix.length, by)
    }
    return counts
  }
}
