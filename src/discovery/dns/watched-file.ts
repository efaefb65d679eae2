/** A small system file as parsed data, read again when it has changed. It starts no watcher: whoever asks, looks. */
import { readFileSync, statSync } from 'node:fs'

export class WatchedFile<T> {
  readonly #path: string
  readonly #parse: (text: string) => T
  #stamp: string | undefined
  #value: T

  constructor(path: string, parse: (text: string) => T) {
    this.#path = path
    this.#parse = parse
    this.#stamp = undefined
    this.#value = parse('')
  }

  /** What the file says now; as if it were empty when it is missing or cannot be read. */
  get value(): T {
    const stamp = this.#look()
    if (stamp === this.#stamp) return this.#value
    this.#value = this.#parse(this.#read())
    this.#stamp = stamp
    return this.#value
  }

  #look(): string | undefined {
    const stats = statSync(this.#path, { bigint: true, throwIfNoEntry: false })
    return stats === undefined ? 'missing' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`
  }

  #read(): string {
    try {
      return readFileSync(this.#path, 'utf8')
    } catch {
      return ''
    }
  }
}
