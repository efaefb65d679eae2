/** What the set of descriptors and what stands in it know of each other. */
import type { Task } from '../engine.ts'
import type { JointReads } from './joint-reads.ts'
import type { JointWrites } from './joint-writes.ts'
import type { Slabs } from './slabs.ts'

/** One descriptor in the set. */
export interface Entry {
  readonly fd: number
  /** 0 while it is not in the set. Set by the set. */
  generation: number
  /** Events of epoll, as far as they were asked for; breaks and hang-ups in any case. */
  happened(events: number): void
  /** True when these events mean a read and nothing else: it has put itself among `EntrySet.reads`, and they are not told. */
  joins(events: number): boolean
}

/** What did not finish in its turn. */
export interface Unfinished {
  goOn(): void
}

export interface EntrySet {
  readonly slabs: Slabs
  readonly reads: JointReads
  readonly writes: JointWrites
  /** How often it was asked for events. */
  readonly round: number
  /** Into the set, edge-triggered and for everything, as streams are. A negative errno when there is no room. */
  enter(entry: Entry): number
  /** The same for these events only. */
  enterFor(entry: Entry, events: number): number
  changeFor(entry: Entry, events: number): void
  /** Closes the descriptor. */
  forget(entry: Entry): void
  /** The descriptor goes on elsewhere; what it was entered for is over. */
  giveUp(entry: Entry): void
  /** A connect is done: its entry stays until a stream takes its place, which holds the loop by itself. */
  handOver(): void
  /** The inbox of datagrams has been told. */
  batchDone(): void
  /** Once, after the events at hand. */
  again(entry: Unfinished): void
  later(task: Task): void
}
