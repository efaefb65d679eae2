/**
 * Making an io_uring, and saying why not where the system refuses: it is often forbidden in containers. Linux 6.10 or
 * later is asked for: completions are put off until the thread asks for them, and the queues lie in memory of the thread's.
 * A mapping of the kernel's would keep the ring, and every socket that it receives from, alive after a worker was terminated.
 */
import { addressOf, allocateForEver, highHalf, lowHalf } from '../ffi/ring-memory.ts'
import { closeSocket } from '../ffi/sockets.ts'
import { own } from '../ffi/thread.ts'
import { uringSetup } from '../ffi/uring-calls.ts'
import { explainRefusal } from './refusal.ts'

/** Offsets in bytes into the memory of the queues. */
export interface RingLayout {
  readonly submissionHead: number
  readonly submissionTail: number
  readonly submissionFlags: number
  readonly array: number
  readonly completionHead: number
  readonly completionTail: number
  readonly completions: number
  readonly completionFlags: number
}

const setupCqSize = 1 << 3
const setupSubmitAll = 1 << 7
const setupSingleIssuer = 1 << 12
const setupDeferTaskrun = 1 << 13
const setupOwnMemory = 1 << 14

/** Of a submission and a completion, and what else the kernel keeps beside them at most. */
const entryBytes = 64
const completionBytes = 16
const headBytes = 4096

/** One memory for both queues; no completion is ever dropped; receives wait without a thread of their own. */
const needed = { singleMmap: 1 << 0, noDrop: 1 << 1, fastPoll: 1 << 5, nativeWorkers: 1 << 9 }

export interface RingParts {
  readonly fd: number
  readonly rings: ArrayBuffer
  readonly entries: ArrayBuffer
  readonly layout: RingLayout
}

/** Throws a `RangeError` with the reason. */
export function setUp(submissions: number, completions: number): RingParts {
  const rings = allocateForEver(headBytes + completions * completionBytes + submissions * 4)
  const entries = allocateForEver(submissions * entryBytes)
  const params = new Uint32Array(new ArrayBuffer(128))
  params[0] = submissions
  params[1] = completions
  params[2] = setupCqSize | setupSubmitAll | setupSingleIssuer | setupDeferTaskrun | setupOwnMemory
  params[18] = lowHalf(entries.address)
  params[19] = highHalf(entries.address)
  params[28] = lowHalf(rings.address)
  params[29] = highHalf(rings.address)
  const fd = uringSetup(submissions, addressOf(params.buffer))
  if (fd < 0) throw new RangeError(explainRefusal(fd))
  own(fd)
  const at = (index: number): number => params[index] as number
  for (const [name, bit] of Object.entries(needed)) {
    if ((at(5) & bit) !== 0) continue
    closeSocket(fd)
    throw new RangeError(`the io_uring of this kernel lacks ${name}`)
  }
  const layout = {
    submissionHead: at(10),
    submissionTail: at(11),
    submissionFlags: at(14),
    array: at(16),
    completionHead: at(20),
    completionTail: at(21),
    completions: at(25),
    completionFlags: at(26),
  }
  return { fd, rings: rings.buffer, entries: entries.buffer, layout }
}

/** Why there can be no ring here; undefined when there can be. Makes a small one to find out. */
export function uringRefusal(): string | undefined {
  if (process.platform !== 'linux') return 'io_uring needs Linux'
  try {
    closeSocket(setUp(8, 16).fd)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
