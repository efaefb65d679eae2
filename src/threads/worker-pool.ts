/**
 * The traffic threads: as many as asked for, replaced when one fails. A worker that failed by an exception goes on accepting
 * until its replacement listens, so that the ports answer throughout even when it was the only one.
 */
import { releaseWorker, type SharedMemory } from '../base/shared-counters.ts'
import { type CellMemory, releaseWindows } from '../base/shared-windows.ts'
import { sleep } from '../base/timers.ts'
import type { Log } from '../observability/log.ts'
import type { MetricsSnapshot } from '../observability/metrics-snapshot.ts'
import { SnapshotRetention } from '../observability/snapshot-retention.ts'
import type { NormalChange } from '../snapshot/compiler.ts'
import type { ListenerSpec, ListenFailure, ToWorker, WorkerBoot, WorkerConf, WorkerReport } from './messages.ts'
import { WorkerHandle } from './worker-handle.ts'

/** A worker that fails again and again is replaced ever later, but always. */
const quickRestarts = 5
const slowRestartMs = 1000
const quickWindowMs = 10_000
/** How long a busy worker is waited for before its last known numbers are shown instead. */
const patienceMs = 1000

export interface WorkerPoolOptions {
  /** What a worker that starts now needs. */
  readonly boot: (index: number) => WorkerBoot
  readonly counters: SharedMemory
  readonly windows: CellMemory
  /** Columns of the shared counters: no two living workers have the same index. */
  readonly maxIndex: number
  readonly maxSeries: number
  /** A worker that replaced another could not open all ports. */
  readonly incomplete: () => void
  /** What workers have counted, as text. */
  readonly exposition: () => Promise<string>
  readonly log: Log
}

export interface WorkerState {
  readonly index: number
  readonly state: string
  readonly revision: number
  readonly connections: number
  readonly restarts: number
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  /** Every thread that has not ended, those that drain or failed included. */
  readonly #alive = new Set<WorkerHandle>()
  readonly #serving = new Set<WorkerHandle>()
  readonly #retention: SnapshotRetention
  readonly #failures: number[] = []
  /** Failed workers that still accept, as no successor of theirs serves yet. */
  readonly #standIns = new Set<WorkerHandle>()
  #target = 0
  #restarts = 0
  #closing = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#retention = new SnapshotRetention(options.maxSeries)
  }

  get size(): number {
    return this.#serving.size
  }

  /**
   * Starts or drains workers until there are `count`. Resolves once the new ones serve, with the ports that any of them could
   * not open; rejects if one does not start, which is then tried again.
   */
  async resize(count: number, lingerMs: number): Promise<readonly ListenFailure[]> {
    this.#target = count
    const surplus = [...this.#serving].slice(count)
    for (const handle of surplus) void this.#retire(handle, lingerMs)
    const starting: Promise<readonly ListenFailure[]>[] = []
    while (this.#serving.size < this.#target && !this.#closing) starting.push(this.#start().ready)
    const failures = await Promise.all(starting)
    return failures.flat()
  }

  /** Says the same to every worker that accepts connections. */
  broadcast(message: Extract<ToWorker, { type: 'changes' | 'addresses' }>): void {
    for (const handle of this.#alive) if (handle.state !== 'draining') handle.tell(message)
  }

  /** Resolves with why workers could not do all of it; they go on with what they could. */
  async configure(conf: WorkerConf, resources: readonly NormalChange[] = []): Promise<readonly string[]> {
    const outcomes = await Promise.allSettled(
      [...this.#serving].map((handle) => handle.order({ type: 'conf', conf, resources })),
    )
    return [...new Set(outcomes.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : [])))]
  }

  /** Brings every worker's listeners to this set; resolves with each port that failed, and on how many workers it did not. */
  async listen(
    listeners: readonly ListenerSpec[],
    lingerMs: number,
  ): Promise<readonly (ListenFailure & { readonly openElsewhere: boolean })[]> {
    const handles = [...this.#alive].filter((handle) => handle.state !== 'draining')
    const outcomes = await Promise.allSettled(
      handles.map((handle) => handle.order({ type: 'listen', listeners, lingerMs })),
    )
    const answers = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const failures = new Map(answers.flat().map((failure) => [failure.key, failure]))
    return [...failures.values()].map((failure) => ({
      ...failure,
      openElsewhere: answers.some((answer) => !answer.some(({ key }) => key === failure.key)),
    }))
  }

  async reopen(): Promise<void> {
    await Promise.allSettled([...this.#alive].map((handle) => handle.order({ type: 'reopen' })))
  }

  /** The newest numbers of every worker, of those that died too. */
  async metrics(): Promise<readonly MetricsSnapshot[]> {
    await Promise.all(
      [...this.#alive].map(async (handle) => {
        const snapshot = await this.#patiently(handle.order({ type: 'metrics' }))
        if (snapshot !== undefined) this.#retention.keep(nameOf(handle), snapshot)
      }),
    )
    return this.#retention.all()
  }

  async reports(): Promise<readonly (WorkerState & { readonly report: WorkerReport | undefined })[]> {
    return Promise.all(
      [...this.#alive].map(async (handle) => {
        const report = await this.#patiently(handle.order({ type: 'report' }))
        const { index, state, revision } = handle
        return { index, state, revision, connections: report?.sessions ?? 0, restarts: this.#restarts, report }
      }),
    )
  }

  /** The first reason for which not every worker serves the configuration. */
  unreadiness(count: number): string | undefined {
    const running = [...this.#serving].filter((handle) => handle.state === 'running').length
    if (running < count) return `worker count: ${count} but status report count: ${running}`
    return undefined
  }

  /** Ends all workers: sessions may go on for `lingerMs`. */
  async close(lingerMs: number): Promise<void> {
    this.#closing = true
    const ends = [...this.#alive].map((handle) => this.#retire(handle, lingerMs))
    const deadline = new AbortController()
    // A worker that does not answer any more is not waited for much longer than its sessions would have been.
    await Promise.race([Promise.all(ends), sleep(lingerMs + 3000, deadline.signal)])
    deadline.abort()
    await Promise.all([...this.#alive].map((handle) => handle.terminate()))
  }

  #start(): WorkerHandle {
    const used = new Set([...this.#alive].map((handle) => handle.index))
    let index = 0
    while (used.has(index)) index++
    if (index >= this.#options.maxIndex)
      throw new Error(`no more than ${this.#options.maxIndex} workers can live at once`)
    const handle = new WorkerHandle(this.#options.boot(index), {
      failed: (failed, reason) => void this.#replace(failed, reason),
      asked: (asker) => void this.#tellExposition(asker),
    })
    this.#alive.add(handle)
    this.#serving.add(handle)
    return handle
  }

  async #tellExposition(asker: WorkerHandle): Promise<void> {
    const { exposition, log } = this.#options
    const text = await exposition().catch((error: unknown) => {
      log.error({ worker: asker.index, error }, 'metrics could not be collected for a route')
      return undefined
    })
    asker.tell({ type: 'exposition', text })
  }

  async #replace(failed: WorkerHandle, reason: string): Promise<void> {
    if (this.#closing) return
    this.#options.log.error({ worker: failed.index, reason }, 'a worker failed and is replaced')
    this.#serving.delete(failed)
    this.#standIns.add(failed)
    this.#restarts++
    const now = performance.now()
    while ((this.#failures[0] ?? now) < now - quickWindowMs) this.#failures.shift()
    this.#failures.push(now)
    if (this.#failures.length > quickRestarts || !failed.served) await sleep(slowRestartMs)
    const successor = await this.#successor()
    if (successor === undefined) return this.#dismiss()
    try {
      const failures = await successor.ready
      if (failures.length > 0) this.#options.incomplete()
      await this.#dismiss()
    } catch (error) {
      // Its own failure has brought its own successor under way.
      this.#options.log.error({ error }, 'the replacement of a worker did not start')
    }
  }

  /** Undefined: none is needed, as a reload has filled the gap, or asked for fewer. */
  async #successor(): Promise<WorkerHandle | undefined> {
    while (!this.#closing && this.#serving.size < this.#target) {
      try {
        return this.#start()
      } catch (error) {
        this.#options.log.error({ error }, 'the replacement of a worker has to wait')
        await sleep(slowRestartMs)
      }
    }
    return undefined
  }

  /** Successors serve: workers that failed may go. */
  async #dismiss(): Promise<void> {
    const gone = [...this.#standIns]
    this.#standIns.clear()
    await Promise.all(gone.map((handle) => this.#forget(handle)))
  }

  async #retire(handle: WorkerHandle, lingerMs: number): Promise<void> {
    this.#serving.delete(handle)
    const last = await this.#patiently(handle.order({ type: 'metrics' }))
    if (last !== undefined) this.#retention.keep(nameOf(handle), last)
    await handle.drain(lingerMs)
    await this.#forget(handle)
  }

  /** Ends the thread if it still runs, and takes back what it had counted for itself. */
  async #forget(handle: WorkerHandle): Promise<void> {
    await handle.terminate()
    if (!this.#alive.delete(handle)) return
    this.#retention.retire(nameOf(handle))
    releaseWorker(this.#options.counters, handle.index)
    releaseWindows(this.#options.windows, handle.index)
  }

  async #patiently<T>(answer: Promise<T>): Promise<T | undefined> {
    const deadline = new AbortController()
    const late = sleep(patienceMs, deadline.signal).then(() => undefined)
    try {
      return await Promise.race([answer, late])
    } catch {
      return undefined
    } finally {
      deadline.abort()
    }
  }
}

/** Every incarnation has a name of its own. */
function nameOf(handle: WorkerHandle): string {
  return `${handle.index} ${handle.startedAt}`
}
