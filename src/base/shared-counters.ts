/**
 * Counters that all workers agree on, in one block of shared memory: in-flight exchanges of an endpoint, connections of a limit.
 * It holds numbers by name, bounded; it knows nothing of who counts what.
 */

/** One named counter, pinned for as long as this handle is not released. */
export interface SharedCounter {
  /** The total over all workers now. */
  readonly value: number
  /** Adds for this worker; returns the new total. What a worker added is taken back when that worker dies. */
  add(by: number): number
  /** Unpins: the counter may be forgotten when nobody pins it and its total is 0. The handle must not be used again. */
  release(): void
}

export interface SharedCounters {
  /** The counter of that name, made if there is none; undefined when the table is full. */
  open(name: string): SharedCounter | undefined
}
