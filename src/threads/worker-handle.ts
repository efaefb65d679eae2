/** One worker thread as main sees it: orders and their answers, and how it ended. */
import { Worker } from 'node:worker_threads'
import type { Answers, FromWorker, ListenFailure, ToWorker, WorkerBoot } from './messages.ts'

/** Beside this file's folder, in whichever form the program runs: as sources or compiled. */
const entry = new URL(import.meta.url.endsWith('.ts') ? '../worker.ts' : '../worker.js', import.meta.url)

type Ordered = Extract<ToWorker, { seq: number }>
type Order = { [T in keyof Answers]: Omit<Extract<Ordered, { type: T }>, 'seq'> }

export interface WorkerEvents {
  /** An exception that nobody caught, or an exit that nobody asked for. At most once. */
  failed(handle: WorkerHandle, reason: string): void
}

export class WorkerHandle {
  readonly index: number
  readonly startedAt: number
  /** Resolves once it listens and its first configuration is in force; rejects if it ends before. */
  readonly ready: Promise<readonly ListenFailure[]>
  /** The last revision it has said to be in force. */
  revision: number
  state: 'starting' | 'running' | 'draining' | 'failed' | 'ended' = 'starting'
  readonly #thread: Worker
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly #events: WorkerEvents
  #seq = 0
  #reported = false

  constructor(boot: WorkerBoot, events: WorkerEvents) {
    this.index = boot.index
    this.startedAt = Date.now()
    this.revision = boot.revision
    this.#events = events
    this.#thread = new Worker(entry, { workerData: boot, name: `worker-${boot.index}`, stdin: false })
    this.ready = new Promise((resolve, reject) => {
      this.#thread.on('message', (message: FromWorker) => {
        switch (message.type) {
          case 'ready':
            this.state = 'running'
            resolve(message.failures)
            break
          case 'applied':
            this.revision = message.revision
            break
          case 'answer':
            this.#waiting.get(message.seq)?.resolve(message.value)
            this.#waiting.delete(message.seq)
            break
          case 'fatal':
            reject(new Error(message.message))
            this.#fail(message.message)
            break
        }
      })
      this.#thread.on('error', (error: Error) => {
        reject(error)
        this.#fail(error.message)
      })
      this.#thread.on('exit', (status) => {
        reject(new Error(`the worker exited with status ${status}`))
        this.#fail(`it exited with status ${status}`)
        this.state = 'ended'
        for (const { reject: drop } of this.#waiting.values()) drop(new Error('the worker has ended'))
        this.#waiting.clear()
      })
    })
    this.ready.catch(() => {})
  }

  /** Says something that needs no answer. */
  tell(message: Exclude<ToWorker, Ordered>): void {
    if (this.state !== 'ended') this.#thread.postMessage(message)
  }

  /** Gives an order and resolves with its answer; rejects when the worker ends before. */
  order<T extends keyof Answers>(order: Order[T] & { type: T }): Promise<Answers[T]> {
    if (this.state === 'ended') return Promise.reject(new Error('the worker has ended'))
    const seq = ++this.#seq
    return new Promise((resolve, reject) => {
      this.#waiting.set(seq, { resolve: resolve as (value: unknown) => void, reject })
      this.#thread.postMessage({ ...order, seq })
    })
  }

  /** Lets sessions end within `lingerMs`, then ends the thread. */
  async drain(lingerMs: number): Promise<void> {
    this.state = 'draining'
    this.#reported = true
    try {
      await this.order({ type: 'drain', lingerMs })
    } catch {
      // It ended by itself: all that draining wanted.
    }
    await this.terminate()
  }

  /** Ends the thread at once. */
  async terminate(): Promise<void> {
    this.#reported = true
    await this.#thread.terminate()
  }

  #fail(reason: string): void {
    if (this.#reported) return
    this.#reported = true
    this.state = 'failed'
    this.#events.failed(this, reason)
  }
}
