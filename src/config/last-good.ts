/**
 * The last good configuration of a remote source, kept on disk so that a gateway which starts while the source is down has one. Written
 * whole and by renaming, never more often than once in a while.
 */
import { readFileSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { after, type Timer } from '../base/timers.ts'
import type { Log } from '../observability/log.ts'
import type { Resource } from './store.ts'

export interface LastGoodState {
  readonly revision: number
  readonly cluster: string
  readonly resources: readonly Resource[]
}

export interface LastGoodOptions {
  readonly file: string
  /** What the state must have been taken from: another prefix or other endpoints are another configuration. */
  readonly origin: string
  readonly log: Pick<Log, 'error'>
  /** Changes within this time are written together. Default 1000. */
  readonly delayMs?: number
}

export class LastGood {
  readonly #options: LastGoodOptions
  #pending: (() => LastGoodState) | undefined
  #timer: Timer | undefined
  #writing: Promise<void>

  constructor(options: LastGoodOptions) {
    this.#options = options
    this.#pending = undefined
    this.#timer = undefined
    this.#writing = Promise.resolve()
  }

  /** What was kept from the same origin; undefined: nothing that can be used. */
  read(): LastGoodState | undefined {
    try {
      const kept = JSON.parse(readFileSync(this.#options.file, 'utf8')) as LastGoodState & { origin: string }
      return kept.origin === this.#options.origin && Array.isArray(kept.resources) ? kept : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#options.log.error({ file: this.#options.file, error }, 'the last good configuration cannot be read')
      }
      return undefined
    }
  }

  /** Writes soon; `state` is asked then, so that a burst of changes costs one file. */
  keep(state: () => LastGoodState): void {
    this.#pending = state
    this.#timer ??= after(this.#options.delayMs ?? 1000, () => void this.flush())
  }

  /** Writes what is pending now. Never rejects. */
  flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const state = this.#pending
    this.#pending = undefined
    if (state !== undefined) {
      const { origin, file, log } = this.#options
      const text = JSON.stringify({ origin, ...state() })
      this.#writing = this.#writing
        .then(() => replaceFile(file, text))
        .catch((error) => log.error({ file, error }, 'the last good configuration cannot be written'))
    }
    return this.#writing
  }
}

/** The values are secrets: for the owner only. */
async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${process.pid}.new`
  try {
    const handle = await open(draft, 'w', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
