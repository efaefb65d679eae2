/**
 * Making an io_uring, and saying why not where the system refuses: it is often forbidden in containers. Linux 6.1 or later
 * is asked for: completions are put off until the thread asks for them. What later kernels offer is tried, once, when the
 * ring is made. How the ring is used is no business of this file.
 *
 * The queues lie in the arena, so that they go with it when the thread ends. A mapping anywhere else would keep the ring, and
 * every socket that it receives from, alive after a worker was terminated.
 */
import { getSystemErrorName } from 'node:util'
import { Arena, addressOf, highHalf, lowHalf } from '../ffi/ring-memory.ts'
import { closeSocket } from '../ffi/sockets.ts'
import { own } from '../ffi/thread.ts'
import { uringRegister, uringSetup } from '../ffi/uring-calls.ts'
import { opcodes } from './opcodes.ts'
import { explainRefusal } from './refusal.ts'

/** Places in the arena, in bytes. */
export interface RingLayout {
  readonly submissionHead: number
  readonly submissionTail: number
  readonly submissionFlags: number
  /** Undefined where the kernel does without this array between queue and entries. */
  readonly array: number | undefined
  readonly entries: number
  readonly completionHead: number
  readonly completionTail: number
  readonly completions: number
}

export interface RingParts {
  readonly fd: number
  readonly arena: Arena
  readonly submissions: number
  readonly completions: number
  readonly layout: RingLayout
  /** What `enter` names the ring by, and the flags that it always has. */
  readonly handle: number
  readonly enterFlags: number
}

/**
 * Whose memory the queues are. `own`: ours, any pages (Linux 6.10). `huge`: ours, and in one piece (6.5). `page`: ours, a page
 * each, which makes short queues (6.5 too, where no huge page is to be had). `kernel`: the kernel's, mapped into the arena (6.3
 * and before; later ones do not map where they are told to).
 */
export type QueueMemory = 'own' | 'huge' | 'page' | 'kernel'
const everyMemory: readonly QueueMemory[] = ['own', 'huge', 'page', 'kernel']

const setupCqSize = 1 << 3
const setupSubmitAll = 1 << 7
const setupSingleIssuer = 1 << 12
const setupDeferTaskrun = 1 << 13
const setupOwnMemory = 1 << 14
/** Linux 6.6. */
const setupNoArray = 1 << 16
const always = setupCqSize | setupSubmitAll | setupSingleIssuer | setupDeferTaskrun

const entryBytes = 64
const completionBytes = 16
/** What the kernel keeps beside the queues at most. */
const headBytes = 4096
const entriesOffset = 0x1000_0000
/** The most that go into a page each. */
const pageSubmissions = 64
const pageCompletions = 128

/** One mapping for both queues; no completion is ever dropped; receives wait without a thread of their own. */
const needed = { singleMmap: 1 << 0, noDrop: 1 << 1, fastPoll: 1 << 5, nativeWorkers: 1 << 9 }
/** Linux 6.15: to wait for sockets is not to wait for a disk, which the system would show as a processor's. */
const featureNoIoWait = 1 << 17

const registerProbe = 8
const registerRingFd = 20
const unregisterRingFd = 21
const enterRegistered = 1 << 4
const enterNoIoWait = 1 << 7

const EINVAL = -22

/** Throws a `RangeError` with the reason. The queues may be shorter than asked for. */
export function setUp(
  submissions: number,
  completions: number,
  memories: readonly QueueMemory[] = everyMemory,
): RingParts {
  let refused = EINVAL
  for (const memory of memories) {
    for (const flags of [always | setupNoArray, always]) {
      const arena = new Arena()
      try {
        const asked = new Params(arena, flags, submissions, completions, memory)
        refused = uringSetup(asked.submissions, addressOf(asked.words.buffer))
        if (refused >= 0) return finished(refused, asked)
      } catch (error) {
        arena.free()
        throw error
      }
      arena.free()
      if (refused !== EINVAL) throw new RangeError(explainRefusal(refused))
    }
  }
  throw new RangeError(explainRefusal(refused))
}

/** Why there can be no ring here; undefined when there can be. Makes a small one to find out. */
export function uringRefusal(): string | undefined {
  if (process.platform !== 'linux') return 'io_uring needs Linux'
  try {
    const { fd, arena, handle } = setUp(8, 16)
    takeDown(fd, handle)
    arena.free()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Closes the ring. */
export function takeDown(fd: number, handle: number): void {
  if (handle !== fd) {
    const update = new Int32Array(new ArrayBuffer(128))
    update[0] = handle
    uringRegister(fd, unregisterRingFd, addressOf(update.buffer), 1)
  }
  closeSocket(fd)
}

/** `struct io_uring_params`, as it is asked with and as it is answered. */
class Params {
  readonly arena: Arena
  readonly memory: QueueMemory
  readonly submissions: number
  readonly words: Uint32Array<ArrayBuffer>
  /** Where the queues and the entries lie; -1: not known yet. */
  readonly queues: number
  readonly entries: number

  constructor(arena: Arena, flags: number, submissions: number, completions: number, memory: QueueMemory) {
    const isShort = memory === 'page'
    this.arena = arena
    this.memory = memory
    this.submissions = isShort ? Math.min(submissions, pageSubmissions) : submissions
    this.words = new Uint32Array(new ArrayBuffer(128))
    const held = isShort ? Math.min(completions, pageCompletions) : completions
    this.words.set([this.submissions, held, memory === 'kernel' ? flags : flags | setupOwnMemory])
    this.queues = -1
    this.entries = -1
    if (memory === 'kernel') return
    const queueBytes = isShort ? headBytes : headBytes + held * completionBytes + submissions * 4
    const size = this.submissions * entryBytes
    this.entries = memory === 'huge' ? arena.takeHuge(size + queueBytes) : arena.take(size)
    this.queues = memory === 'huge' ? this.entries + size : arena.take(queueBytes)
    arena.bytes.fill(0, this.entries, this.entries + size)
    arena.bytes.fill(0, this.queues, this.queues + queueBytes)
    this.#setAddress(18, this.entries)
    this.#setAddress(28, this.queues)
  }

  at(index: number): number {
    return this.words[index] as number
  }

  /** Where the kernel's queues came to lie. Throws when they cannot. */
  layout(fd: number): RingLayout {
    const hasArray = (this.at(2) & setupNoArray) === 0
    let { queues, entries } = this
    if (queues === -1) {
      const arrayEnd = hasArray ? this.at(16) + this.at(0) * 4 : 0
      queues = this.arena.map(fd, 0, Math.max(arrayEnd, this.at(25) + this.at(1) * completionBytes))
      entries = this.arena.map(fd, entriesOffset, this.at(0) * entryBytes)
      const failed = Math.min(queues, entries)
      if (failed < 0) {
        throw new RangeError(`this kernel maps the queues of io_uring nowhere of use (${getSystemErrorName(failed)})`)
      }
    }
    return {
      submissionHead: queues + this.at(10),
      submissionTail: queues + this.at(11),
      submissionFlags: queues + this.at(14),
      array: hasArray ? queues + this.at(16) : undefined,
      entries,
      completionHead: queues + this.at(20),
      completionTail: queues + this.at(21),
      completions: queues + this.at(25),
    }
  }

  #setAddress(index: number, place: number): void {
    const address = this.arena.addressAt(place)
    this.words[index] = lowHalf(address)
    this.words[index + 1] = highHalf(address)
  }
}

function finished(fd: number, params: Params): RingParts {
  own(fd)
  try {
    const features = params.at(5)
    checkFeatures(features)
    checkOperations(fd)
    const layout = params.layout(fd)
    const waits = (features & featureNoIoWait) === 0 ? 0 : enterNoIoWait
    const place = registered(fd)
    return {
      fd,
      arena: params.arena,
      submissions: params.at(0),
      completions: params.at(1),
      layout,
      handle: place < 0 ? fd : place,
      enterFlags: place < 0 ? waits : waits | enterRegistered,
    }
  } catch (error) {
    closeSocket(fd)
    throw error
  }
}

function checkFeatures(features: number): void {
  for (const [name, bit] of Object.entries(needed)) {
    if ((features & bit) === 0) throw new RangeError(`the io_uring of this kernel lacks ${name}`)
  }
}

/** A kernel may have a ring and still not all operations: `struct io_uring_probe`. */
function checkOperations(fd: number): void {
  const most = 256
  const probe = new Uint8Array(new ArrayBuffer(16 + most * 8))
  const result = uringRegister(fd, registerProbe, addressOf(probe.buffer), most)
  for (const [name, operation] of Object.entries(opcodes)) {
    const supported = (probe[16 + operation * 8 + 2] as number) & 1
    if (result < 0 || supported === 0) throw new RangeError(`the io_uring of this kernel lacks the operation ${name}`)
  }
}

/** A short way to the ring for `enter`, past the table of descriptors: a number, or a negative errno. */
function registered(fd: number): number {
  const update = new Int32Array(new ArrayBuffer(128))
  update[0] = -1
  update[2] = fd
  const result = uringRegister(fd, registerRingFd, addressOf(update.buffer), 1)
  return result < 0 ? result : (update[0] as number)
}
