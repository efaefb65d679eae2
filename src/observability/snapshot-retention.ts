/**
 * The last snapshot of every worker, and what those that are gone had counted: so that no counter goes down because a worker was
 * replaced or was too busy to answer. One instance, on the main thread.
 */
import { type MetricsSnapshot, mergeSnapshots } from './metrics-snapshot.ts'

export class SnapshotRetention {
  readonly #maxSeries: number
  readonly #live: Map<string, MetricsSnapshot>
  #gone: MetricsSnapshot

  /** `maxSeries` bounds what is kept of the dead (`metric_series`). */
  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries
    this.#live = new Map()
    this.#gone = []
  }

  /** The newest snapshot of a worker that lives. Name each incarnation of a worker differently. */
  keep(worker: string, snapshot: MetricsSnapshot): void {
    this.#live.set(worker, snapshot)
  }

  /** The worker has ended: its counters are kept for good, its gauges (what it held open) are forgotten. */
  retire(worker: string): void {
    const last = this.#live.get(worker)
    if (last === undefined) return
    this.#live.delete(worker)
    const counted = last.filter((family) => family.type !== 'gauge' || family.total === true)
    this.#gone = mergeSnapshots([this.#gone, counted], this.#maxSeries)
  }

  /** What `mergeSnapshots` wants: the living, as they last reported, and the dead as one. */
  all(): MetricsSnapshot[] {
    return [...this.#live.values(), this.#gone]
  }
}
