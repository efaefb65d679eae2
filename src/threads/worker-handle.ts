/** One worker thread as main sees it: orders and their answers, and how it ended. */
import { Worker } from 'node:worker_threads'
import { sleep } from '../base/timers.ts'
import type { Answers, FromWorker, ListenFailure, ToWorker, WorkerBoot } from './messages.ts'

/** Beside this file's folder, in whichever form the program runs: as sources or compiled. */
const entry = new URL(import.meta.url.endsWith('.ts') ? '../worker.ts' : '../worker.js', import.meta.url)

/** Orders that may wait for their answers: a worker that hangs is not given ever more of them. */
const maxWaiting = 256
/** How much longer than its sessions a worker may take to end. */
const graceMs = 3000

type Ordered = Extract<ToWorker, { seq: number }>
type Order = { [T in keyof Answers]: Omit<Extract<Ordered, { type: T }>, 'seq'> }

export interface WorkerEvents {
  /** An exception that nobody caught, or an exit that nobody asked for. At most once. */
  failed(handle: WorkerHandle, reason: string): void
  /** It wants to be told of the exposition. */
  asked(handle: WorkerHandle): void
}

export class WorkerHandle {
  readonly index: number
  readonly startedAt: number
  /** Resolves once it listens and its first configuration is in force; rejects if it ends before. */
  readonly ready: Promise<readonly ListenFailure[]>
  /** Resolves when the thread is gone. */
  readonly gone: Promise<void>
  /** The last revision it has said to be in force. */
  revision: number
  /** Whether it ever served. */
  served = false
  state: 'starting' | 'running' | 'draining' | 'failed' | 'ended' = 'starting'
  readonly #thread: Worker
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly #events: WorkerEvents
  #seq = 0
  #reported = false

  constructor(boot: WorkerBoot, events: WorkerEvents) {
    this.index = boot.index
    this.startedAt = performance.now()
    this.revision = boot.revision
    this.#events = events
    this.#thread = new Worker(entry, { workerData: boot, name: `worker-${boot.index}`, stdin: false })
    const ready = Promise.withResolvers<readonly ListenFailure[]>()
    ready.promise.catch(() => {})
    this.ready = ready.promise
    this.#thread.on('message', (message: FromWorker) => {
      if (message.type === 'ready') {
        this.served = true
        if (this.state === 'starting') this.state = 'running'
        ready.resolve(message.failures)
      } else if (message.type === 'fatal') {
        ready.reject(new Error(message.message))
        this.#fail(message.message)
      } else this.#heard(message)
    })
    this.#thread.on('error', (error: Error) => {
      ready.reject(error)
      this.#fail(error.message)
    })
    this.gone = new Promise((resolve) => {
      this.#thread.on('exit', (status) => {
        ready.reject(new Error(`the worker exited with status ${status}`))
        this.#fail(`it exited with status ${status}`)
        this.state = 'ended'
        for (const { reject } of this.#waiting.values()) reject(new Error('the worker has ended'))
        this.#waiting.clear()
        resolve()
      })
    })
  }

  /** Says something that needs no answer. */
  tell(message: Exclude<ToWorker, Ordered>): void {
    if (this.state !== 'ended') this.#thread.postMessage(message)
  }

  /** Gives an order and resolves with its answer; rejects when it cannot be done, or the worker ends before. */
  order<T extends keyof Answers>(order: Order[T] & { type: T }): Promise<Answers[T]> {
    if (this.state === 'ended') return Promise.reject(new Error('the worker has ended'))
    if (this.#waiting.size >= maxWaiting) return Promise.reject(new Error('the worker does not answer'))
    const seq = ++this.#seq
    return new Promise((resolve, reject) => {
      this.#waiting.set(seq, { resolve: resolve as (value: unknown) => void, reject })
      this.#thread.postMessage({ ...order, seq })
    })
  }

  /** Lets sessions end within `lingerMs`, then ends the thread, also when it does not answer any more. */
  async drain(lingerMs: number): Promise<void> {
    if (this.state !== 'ended') this.state = 'draining'
    this.#reported = true
    const drained = new AbortController()
    // Ending by itself is all that draining wants.
    const answered = this.order({ type: 'drain', lingerMs }).catch(() => {})
    await Promise.race([answered, sleep(lingerMs + graceMs, drained.signal)])
    drained.abort()
    await this.terminate()
  }

  /** Ends the thread at once. */
  async terminate(): Promise<void> {
    this.#reported = true
    await this.#thread.terminate()
  }

  #heard(message: Exclude<FromWorker, { type: 'ready' | 'fatal' }>): void {
    if (message.type === 'applied') {
      this.revision = message.revision
      return
    }
    if (message.type === 'ask') return this.#events.asked(this)
    const asker = this.#waiting.get(message.seq)
    this.#waiting.delete(message.seq)
    if (message.type === 'answer') asker?.resolve(message.value)
    else asker?.reject(new Error(message.reason))
  }

  #fail(reason: string): void {
    if (this.#reported) return
    this.#reported = true
    this.state = 'failed'
    this.#events.failed(this, reason)
  }
}
