/**
 * The access log of one thread: lines are gathered in memory and handed to the disk in batches. Traffic never waits for it: beyond
 * a bound, lines are dropped, counted and reported. What a line says is compiled elsewhere.
 */
import { after, type Timer } from '../base/timers.ts'
import type { Log } from './log.ts'
import { LogFile } from './log-file.ts'

export interface AccessLogOptions {
  /** A path (its directory is made), `stdout`, `stderr` or `off`. */
  readonly destination: string
  /** Characters gathered before they are written. 0 writes every line by itself. */
  readonly bufferBytes: number
  /** The longest that a line stays in memory. */
  readonly flushMs: number
  /** Bytes that may wait for a slow disk, beside the buffer. Default 4 MiB. */
  readonly maxPendingBytes?: number
  /** Where dropped lines and failed writes are reported. */
  readonly log: Log
}

export interface AccessLog {
  /** Lines that were dropped since the start. */
  readonly droppedLines: number
  /** Takes one line without its line feed. Never waits, never throws. */
  write(line: string): void
  /** Goes on in a new file of the same name, after a rotation; lines gathered so far still go to the old one. */
  reopen(): void
  /** Writes what is gathered before it returns. */
  flushSync(): void
  /** Writes what is gathered and closes the file. A line that comes later is written at once. */
  close(): Promise<void>
}

/** Opens the destination at once and throws when it cannot. */
export function createAccessLog(options: AccessLogOptions): AccessLog {
  return new BatchedLog(options)
}

class BatchedLog implements AccessLog {
  readonly #file: LogFile
  #bufferChars: number
  readonly #flushMs: number
  #gathered: string
  #timer: Timer | undefined

  constructor(options: AccessLogOptions) {
    const { destination, log } = options
    this.#file = new LogFile({
      destination,
      maxPendingBytes: options.maxPendingBytes ?? 4 << 20,
      onTrouble: (trouble) =>
        log.error({ destination, ...trouble }, 'the access log lost lines or could not be written'),
    })
    this.#bufferChars = options.bufferBytes
    this.#flushMs = options.flushMs
    this.#gathered = ''
    this.#timer = undefined
  }

  get droppedLines(): number {
    return this.#file.droppedLines
  }

  write(line: string): void {
    this.#gathered += `${line}\n`
    if (this.#gathered.length >= this.#bufferChars) this.#flush()
    else this.#timer ??= after(this.#flushMs, () => this.#flush())
  }

  reopen(): void {
    this.#flush()
    this.#file.reopen()
  }

  flushSync(): void {
    this.#flush()
    this.#file.flushSync()
  }

  close(): Promise<void> {
    this.#flush()
    // Nobody would flush what comes later.
    this.#bufferChars = 0
    return this.#file.close()
  }

  #flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#gathered === '') return
    const text = this.#gathered
    this.#gathered = ''
    this.#file.write(text)
  }
}
