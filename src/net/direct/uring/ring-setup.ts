/**
 * Making an io_uring, and saying why not where the system refuses: it is often forbidden in containers. Linux 6.1 or later
 * is asked for: completions are put off until the thread asks for them. What later kernels offer is tried, once, when the
 * ring is made. How the ring is used is no business of this file.
 */
import { Arena, addressOf } from '../ffi/ring-memory.ts'
import { closeSocket } from '../ffi/sockets.ts'
import { own } from '../ffi/thread.ts'
import { uringRegister, uringSetup } from '../ffi/uring-calls.ts'
import { opcodes } from './opcodes.ts'
import { explainRefusal } from './refusal.ts'
import { type QueueMemory, type RingLayout, RingParams, setupNoArray } from './ring-params.ts'

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

/** In the order in which they are tried. */
const everyMemory: readonly QueueMemory[] = ['own', 'huge', 'kernel', 'page']

const setupCqSize = 1 << 3
const setupSubmitAll = 1 << 7
const setupSingleIssuer = 1 << 12
const setupDeferTaskrun = 1 << 13
const always = setupCqSize | setupSubmitAll | setupSingleIssuer | setupDeferTaskrun

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
  let reason: RangeError | undefined
  for (const memory of memories) {
    for (const flags of [always | setupNoArray, always]) {
      const arena = new Arena()
      try {
        const params = new RingParams(arena, flags, submissions, completions, memory)
        const fd = uringSetup(params.submissions, addressOf(params.words.buffer))
        if (fd >= 0) return finished(fd, arena, params)
        reason ??= new RangeError(explainRefusal(fd))
        if (fd !== EINVAL) throw reason
      } catch (error) {
        arena.free()
        // Another memory may do where the kernel's cannot be mapped; what else is wrong is wrong with all.
        if (memory !== 'kernel' || error === reason) throw error
        reason = error as RangeError
        break
      }
      arena.free()
    }
  }
  throw reason
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

function finished(fd: number, arena: Arena, params: RingParams): RingParts {
  own(fd)
  try {
    checkFeatures(params.features)
    checkOperations(fd)
    const { submissions, completions } = params
    const layout = params.layout(fd)
    const waits = (params.features & featureNoIoWait) === 0 ? 0 : enterNoIoWait
    const place = registered(fd)
    if (place < 0) return { fd, arena, submissions, completions, layout, handle: fd, enterFlags: waits }
    return { fd, arena, submissions, completions, layout, handle: place, enterFlags: waits | enterRegistered }
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
