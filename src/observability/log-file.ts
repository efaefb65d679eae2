/**
 * A file, or standard output, that lines are appended to without ever waiting for it: sonic-boom with a bound on what may be
 * pending, a reopening that loses nothing, and a count of what was dropped. It neither forms nor batches lines.
 */
import { appendFileSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import sonicBoom from 'sonic-boom'

/** The package is CommonJS: its class is a property of what it exports. */
const { SonicBoom } = sonicBoom
type Out = InstanceType<typeof SonicBoom>

export interface LogFileOptions {
  /** A path, or one of `stderr`, `stdout`, `/dev/stderr`, `/dev/stdout`, `off`. */
  readonly destination: string
  /** Bytes that may wait for the disk; text beyond is dropped. */
  readonly maxPendingBytes: number
  /** Called at the first drop or write error and then at most once a second while they go on, and once when they are over. */
  readonly onTrouble: (trouble: LogTrouble) => void
}

/** What happened since the last report. */
export interface LogTrouble {
  readonly droppedLines: number
  /** The last error of writing or opening, if there was one. */
  readonly error: Error | undefined
}

const reportEveryMs = 1000
const streams: Readonly<Record<string, number>> = { stdout: 1, '/dev/stdout': 1, stderr: 2, '/dev/stderr': 2 }

/** Opened at once: the constructor throws when the directory cannot be made or the file cannot be opened. */
export class LogFile {
  readonly #options: LogFileOptions
  readonly #path: string | undefined
  #out: Out | undefined
  #closed: boolean
  #droppedLines: number
  #unreported: number
  #error: Error | undefined
  #reportedAt: number

  constructor(options: LogFileOptions) {
    this.#options = options
    this.#closed = false
    this.#droppedLines = 0
    this.#unreported = 0
    this.#error = undefined
    this.#reportedAt = Number.NEGATIVE_INFINITY
    const { destination } = options
    if (destination.startsWith('syslog:')) {
      throw new Error(`a log cannot be sent to ${destination}: only files, stdout and stderr are offered`)
    }
    const isFile = destination !== 'off' && streams[destination] === undefined
    this.#path = isFile ? resolve(destination) : undefined
    this.#out = destination === 'off' ? undefined : this.#open()
  }

  /** Lines dropped since the start, for want of room or because the file could not be written. */
  get droppedLines(): number {
    return this.#droppedLines
  }

  /**
   * Appends whole lines, each with its line feed. Never throws, and does not wait for the disk, except after `close`: what is said
   * then are the last words of a thread that ends.
   */
  write(text: string): void {
    if (this.#out === undefined) return
    if (this.#closed) this.#writeLate(text)
    else this.#out.write(text)
  }

  /** Goes on in a file of the same name made anew, after a rotation; what is pending still goes to the old one. */
  reopen(): void {
    if (this.#path === undefined || this.#out === undefined || this.#closed) return
    let next: Out
    try {
      next = this.#open()
    } catch (error) {
      // The old file still takes lines: better in the rotated one than nowhere.
      this.#fail(error as Error)
      return
    }
    const previous = this.#out
    this.#out = next
    void finish(previous)
  }

  /** Writes what is pending before it returns: for the last words of a thread. */
  flushSync(): void {
    if (this.#out === undefined || this.#closed) return
    try {
      this.#out.flushSync()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  /** Resolves when everything pending was written, or could not be. */
  async close(): Promise<void> {
    if (this.#out === undefined || this.#closed) return
    this.#closed = true
    await finish(this.#out)
    if (this.#unreported > 0) this.#report()
  }

  #open(): Out {
    const fd = this.#path === undefined ? streams[this.#options.destination]! : openForAppend(this.#path)
    const out = new SonicBoom({ fd, minLength: 0, maxLength: this.#options.maxPendingBytes, maxWrite: 65536 })
    out.on('drop', (text: string) => this.#drop(text))
    out.on('error', (error: Error) => this.#fail(error))
    out.on('drain', () => {
      if (this.#unreported > 0) this.#report()
    })
    return out
  }

  #writeLate(text: string): void {
    try {
      if (this.#path === undefined) writeSync(streams[this.#options.destination]!, text)
      else appendFileSync(this.#path, text)
    } catch (error) {
      this.#error = error as Error
      this.#drop(text)
    }
  }

  #drop(text: string): void {
    let lines = 0
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1
    this.#droppedLines += lines
    this.#unreported += lines
    this.#reportSometimes()
  }

  #fail(error: Error): void {
    this.#error = error
    this.#reportSometimes()
  }

  #reportSometimes(): void {
    if (performance.now() - this.#reportedAt >= reportEveryMs) this.#report()
  }

  #report(): void {
    const trouble = { droppedLines: this.#unreported, error: this.#error }
    this.#reportedAt = performance.now()
    this.#unreported = 0
    this.#error = undefined
    this.#options.onTrouble(trouble)
  }
}

/** Writes the rest and closes; a rest that cannot be written is given up, so that the descriptor is not kept. */
function finish(out: Out): Promise<void> {
  return new Promise((done) => {
    out.once('close', done)
    out.once('error', () => out.destroy())
    out.end()
  })
}

function openForAppend(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  return openSync(path, 'a', 0o640)
}
