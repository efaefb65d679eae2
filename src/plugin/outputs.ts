/**
 * What plugins send or write behind the back of traffic: to be made whole before the thread ends, and opened anew when log
 * files were moved away. It sends nothing itself.
 */
import { sleep } from '../base/timers.ts'

export interface Output {
  /** Sends what is gathered; resolves when that has arrived or is given up. Must not reject. */
  flush(): Promise<void>
  /** The file may have been moved away. */
  reopen?(): void
}

export class Outputs {
  readonly #all = new Set<Output>()

  /** Returns what takes it out again. */
  add(output: Output): () => void {
    this.#all.add(output)
    return () => this.#all.delete(output)
  }

  get size(): number {
    return this.#all.size
  }

  reopen(): void {
    for (const output of this.#all) output.reopen?.()
  }

  /** Resolves when all is sent, or after `ms`; with how many outputs were not done then. */
  async flush(ms: number): Promise<number> {
    let left = this.#all.size
    if (left === 0) return 0
    const patience = new AbortController()
    const all = [...this.#all].map((output) => output.flush().then(() => left--))
    await Promise.race([Promise.all(all), sleep(ms, patience.signal)])
    patience.abort()
    return left
  }
}
