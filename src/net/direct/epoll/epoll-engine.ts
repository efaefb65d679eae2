/**
 * An engine on epoll: one set of descriptors for the thread. It hands events to whoever they are for, a bounded number at a
 * time, and knows sockets only as entries of that set.
 */
import type {
  AcceptOwner,
  Acceptor,
  ConnectOwner,
  DatagramOwner,
  Datagrams,
  Engine,
  Stream,
  StreamOwner,
  Task,
  Watch,
  Watcher,
} from '../engine.ts'
import { Epoll, edgeTriggered, peerShut, readable, writable } from '../ffi/epoll.ts'
import { inbox } from '../ffi/inbox.ts'
import { closeSocket } from '../ffi/sockets.ts'
import { disown, loopFd } from '../ffi/thread.ts'
import { type EventSource, NodeLoop } from '../node-loop.ts'
import type { Entry, EntrySet, Unfinished } from './entry.ts'
import { EpollAcceptor } from './epoll-acceptor.ts'
import { EpollConnect } from './epoll-connect.ts'
import { EpollDatagrams } from './epoll-datagrams.ts'
import { EpollStream } from './epoll-stream.ts'
import { EpollWatch } from './epoll-watch.ts'
import { JointContext } from './joint-context.ts'
import { JointReads } from './joint-reads.ts'
import { JointWrites } from './joint-writes.ts'
import { Slabs } from './slabs.ts'

const maxEvents = 128
/** Events between two looks at the clock: a look costs a hundredth of a small one. */
const eventsPerLook = 4

export interface EpollOptions {
  /** Overwrites borrowed bytes when their time is over. */
  readonly checks: boolean
  /** Several sockets are read or written in one system call where the kernel allows it. */
  readonly joint: boolean
}

export class EpollEngine implements Engine, EntrySet, EventSource {
  readonly name = 'epoll'
  readonly slabs: Slabs
  readonly reads: JointReads
  readonly writes: JointWrites
  round: number
  readonly #joint: JointContext
  readonly #checks: boolean
  readonly #epoll: Epoll
  readonly #loop: NodeLoop
  /** By descriptor. */
  readonly #entries: (Entry | undefined)[]
  /** Unlike any that an event still under way can carry: it would have to be two thousand million sockets old. */
  #generation: number
  #next: number
  #count: number
  /** Events that are no reads, by index: they are told after those of the same moment that are. */
  readonly #others: Int32Array
  #otherAt: number
  #otherCount: number
  #unfinished: Unfinished[]
  readonly #tasks: Task[]
  #taskAt: number

  constructor(options: EpollOptions) {
    this.slabs = new Slabs(options.checks)
    this.#joint = new JointContext(options.joint)
    this.#checks = options.checks
    this.round = 0
    this.reads = new JointReads(this.#joint, options.checks)
    this.writes = new JointWrites(this.#joint)
    this.#epoll = new Epoll(maxEvents)
    this.#entries = []
    this.#generation = 0
    this.#next = 0
    this.#count = 0
    this.#others = new Int32Array(maxEvents)
    this.#otherAt = 0
    this.#otherCount = 0
    this.#unfinished = []
    this.#tasks = []
    this.#taskAt = 0
    this.#loop = new NodeLoop(this)
    this.#epoll.add(loopFd, readable, 0)
  }

  acceptor(fd: number, owner: AcceptOwner): Acceptor {
    this.#loop.hold()
    return new EpollAcceptor(this, fd, owner)
  }

  connect(fd: number, addressBytes: number, owner: ConnectOwner): () => void {
    this.#loop.hold()
    const connect = new EpollConnect(this, fd, owner)
    connect.start(addressBytes)
    return () => connect.cancel()
  }

  stream(fd: number, owner: StreamOwner): Stream {
    this.#loop.hold()
    const before = this.#entries[fd]
    if (!(before instanceof EpollConnect)) return new EpollStream(this, fd, owner, 0, 0)
    const stream = new EpollStream(this, fd, owner, before.generation, before.events)
    this.#entries[fd] = stream
    return stream
  }

  datagrams(fd: number, owner: DatagramOwner): Datagrams {
    this.#loop.hold()
    return new EpollDatagrams(this, fd, owner)
  }

  watch(fd: number, watcher: Watcher): Watch {
    const watch = new EpollWatch(this, fd, watcher)
    this.#loop.hold()
    return watch
  }

  later(task: Task): void {
    this.#tasks.push(task)
    this.#loop.wake()
  }

  /** As `EntrySet`, up to `again`. */
  enter(entry: Entry): number {
    return this.enterFor(entry, readable | writable | peerShut | edgeTriggered)
  }

  enterFor(entry: Entry, events: number): number {
    this.#generation = this.#generation === 0x7fffffff ? 1 : this.#generation + 1
    const error = this.#epoll.add(entry.fd, events, this.#generation)
    if (error < 0) return error
    entry.generation = this.#generation
    this.#entries[entry.fd] = entry
    return 0
  }

  changeFor(entry: Entry, events: number): void {
    this.#epoll.change(entry.fd, events, entry.generation)
  }

  forget(entry: Entry): void {
    this.#entries[entry.fd] = undefined
    closeSocket(entry.fd)
    this.#release()
  }

  giveUp(entry: Entry): void {
    if (entry.generation !== 0) this.#epoll.remove(entry.fd)
    this.#entries[entry.fd] = undefined
    disown(entry.fd)
    this.#release()
  }

  handOver(): void {
    this.#release()
  }

  again(entry: Unfinished): void {
    this.#unfinished.push(entry)
    this.#loop.wake()
  }

  batchDone(): void {
    if (!this.#checks) return
    this.writes.flush()
    inbox.poison()
  }

  /** For the loop, as the next four. */
  get busy(): boolean {
    return this.#areLeft || this.writes.areLeft || this.#unfinished.length > 0 || this.#taskAt < this.#tasks.length
  }

  wait(timeoutMs: number): number {
    // An event is told once: those that are left go first.
    if (this.#areLeft) return 1
    this.#next = 0
    this.#count = 0
    this.round += 1
    this.#count = this.#epoll.wait(timeoutMs)
    return this.#count
  }

  /** True when Node's own loop has something to do. */
  handle(until: number): boolean {
    this.writes.open()
    let isNodeReady = false
    while (this.#areLeft) {
      if (!this.reads.areLeft && this.#otherAt === this.#otherCount) isNodeReady = this.#collect() || isNodeReady
      while (this.reads.areLeft) this.reads.handOut()
      // They may lie in what the next reads overwrite.
      this.writes.flush()
      this.reads.finish()
      if (!this.#tellOthers(until)) break
      if (performance.now() > until) break
    }
    this.#finish(until)
    this.#runTasks()
    return isNodeReady
  }

  flush(): void {
    this.writes.close()
  }

  /** Events, or reads, that are still to be told. */
  get #areLeft(): boolean {
    return this.reads.areLeft || this.#otherAt < this.#otherCount || this.#next < this.#count
  }

  /** Takes events until there are as many reads as are done together, and does them. True when one of the events is Node's. */
  #collect(): boolean {
    const epoll = this.#epoll
    const { reads } = this
    let isNodeReady = false
    let others = 0
    while (this.#next < this.#count && !reads.isFull) {
      const index = this.#next
      this.#next = index + 1
      const fd = epoll.descriptorOf(index)
      const entry = this.#entries[fd]
      if (fd === loopFd) isNodeReady = true
      // The socket that this was for may be closed, and its number in use again.
      else if (entry === undefined || entry.generation !== epoll.generationOf(index)) continue
      else if (!entry.joins(epoll.eventsOf(index))) {
        this.#others[others] = index
        others += 1
      }
    }
    this.#otherAt = 0
    this.#otherCount = others
    reads.perform()
    return isNodeReady
  }

  /** False when the time is up before all have been told. */
  #tellOthers(until: number): boolean {
    const epoll = this.#epoll
    let look = eventsPerLook
    while (this.#otherAt < this.#otherCount) {
      const index = this.#others[this.#otherAt] as number
      this.#otherAt += 1
      const entry = this.#entries[epoll.descriptorOf(index)]
      if (entry !== undefined && entry.generation === epoll.generationOf(index)) entry.happened(epoll.eventsOf(index))
      look -= 1
      if (look > 0) continue
      if (performance.now() > until) return false
      look = eventsPerLook
    }
    return true
  }

  #release(): void {
    if (this.#loop.release()) this.#joint.release()
  }

  #finish(until: number): void {
    const unfinished = this.#unfinished
    if (unfinished.length === 0) return
    this.#unfinished = []
    let done = 0
    try {
      // One at least, so that neither events nor what they left over can keep the other from its turn.
      do {
        done += 1
        unfinished[done - 1]?.goOn()
      } while (done < unfinished.length && performance.now() < until)
    } finally {
      for (let index = done; index < unfinished.length; index += 1)
        this.#unfinished.push(unfinished[index] as Unfinished)
    }
  }

  #runTasks(): void {
    const tasks = this.#tasks
    if (tasks.length === 0) return
    while (this.#taskAt < tasks.length) {
      this.#taskAt += 1
      tasks[this.#taskAt - 1]?.run()
    }
    tasks.length = 0
    this.#taskAt = 0
  }
}
