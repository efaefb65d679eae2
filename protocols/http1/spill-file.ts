/**
 * A file of its own for one large body: unlinked as soon as it is open, so that nothing stays behind whatever happens. It is
 * written once from the beginning on and read at any place.
 */
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import path from 'node:path'
import { threadId } from 'node:worker_threads'
import { GatewayError } from '#sdk'

/** Operations of this thread on such files that are under way at once: the threads that do them serve others as well. */
const maxOperations = 8

let running = 0
const waiting: (() => void)[] = []

/** Does one operation when it is its turn. */
async function inTurn<T>(operation: () => Promise<T>): Promise<T> {
  if (running >= maxOperations) await new Promise<void>((resolve) => waiting.push(resolve))
  else running += 1
  try {
    return await operation()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
}

let made = 0

export class SpillFile {
  readonly #folder: string
  #handle: FileHandle | undefined
  #size: number
  /** Operations under way: the file stays open for them. */
  #busy: number
  #released: boolean

  constructor(folder: string) {
    this.#folder = folder
    this.#handle = undefined
    this.#size = 0
    this.#busy = 0
    this.#released = false
  }

  /** Appends bytes that are given away. One call at a time. Rejects with a GatewayError. */
  append(bytes: Uint8Array): Promise<void> {
    return this.#run('write', async () => {
      this.#handle ??= await this.#open()
      let at = 0
      while (at < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#size)
        at += bytesWritten
        this.#size += bytesWritten
      }
    })
  }

  /** So many bytes from `at` on, all of which were written. Rejects with a GatewayError. */
  read(at: number, size: number): Promise<Uint8Array> {
    return this.#run('read', async () => {
      const bytes = Buffer.allocUnsafeSlow(size)
      let filled = 0
      while (filled < size) {
        const handle = this.#handle
        if (handle === undefined) throw new Error('nothing was written')
        const { bytesRead } = await handle.read(bytes, filled, size - filled, at + filled)
        if (bytesRead === 0) throw new Error('it is shorter than it was')
        filled += bytesRead
      }
      return bytes
    })
  }

  /** Nobody needs it any more. Idempotent; what is under way is done first. */
  release(): void {
    this.#released = true
    this.#closeIfDone()
  }

  async #run<T>(doing: string, operation: () => Promise<T>): Promise<T> {
    this.#busy += 1
    try {
      if (this.#released) throw new Error('the exchange is over')
      return await inTurn(operation)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new GatewayError('internal', `cannot ${doing} a request body in ${this.#folder}: ${reason}`, error)
    } finally {
      this.#busy -= 1
      this.#closeIfDone()
    }
  }

  async #open(): Promise<FileHandle> {
    made += 1
    const file = path.join(this.#folder, `body-${process.pid}-${threadId}-${made}`)
    const handle = await this.#create(file)
    try {
      await unlink(file)
    } catch (error) {
      await handle.close()
      throw error
    }
    return handle
  }

  async #create(file: string): Promise<FileHandle> {
    try {
      return await open(file, 'wx+', 0o600)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      // Nobody has made the folder yet, or somebody cleaned up.
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      return await open(file, 'wx+', 0o600)
    }
  }

  #closeIfDone(): void {
    const handle = this.#handle
    if (!this.#released || this.#busy > 0 || handle === undefined) return
    this.#handle = undefined
    // There is nobody left to be told, and nothing left to be lost.
    handle.close().catch(() => undefined)
  }
}
