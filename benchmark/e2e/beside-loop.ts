/**
 * How a wire lives beside Node's loop in the same thread: how late timers, promises, messages and sockets of Node are while links
 * are quiet and while they are as busy as they can be, and how often a thread without any traffic wakes up. Nobody else is measured.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { wires } from '../../src/net/wires.ts'
import type { Lateness, Ready } from './beside-loop-worker.ts'
import type { Generators } from './generators.ts'
import { table } from './table.ts'

export interface BesideLoopOptions {
  readonly wires: readonly string[]
  readonly seconds: number
  /** The processor of the threads that are measured; all others have the other. */
  readonly cpu: number
  readonly generators: Generators
  readonly say: (line: string) => void
}

/** Between two messages, and two pieces for the socket. */
const askEveryMs = 3
/** Until a thread that has started is at rest. */
const settleMs = 2000
const busyConnections = 64
const kinds = ['timer', 'promise', 'message', 'socket'] as const

/** The table. Wires that the system refuses are named and left out. */
export async function besideLoop(options: BesideLoopOptions): Promise<string> {
  const rows = [['ms late: p50 / p95 / max', 'links', ...kinds, 'wake-ups/s at rest']]
  for (const name of options.wires) {
    const reason = wires.find((wire) => wire.name === name)?.refusal()
    if (reason === undefined) rows.push(...(await measured(name, options)))
    else options.say(`skipped: ${name} (${reason})`)
  }
  return table(rows)
}

async function measured(wire: string, { seconds, cpu, generators }: BesideLoopOptions): Promise<string[][]> {
  const worker = new Worker(new URL('./beside-loop-worker.ts', import.meta.url), { workerData: { wire }, name: wire })
  try {
    const [{ ports, tid }] = (await once(worker, 'message')) as [Ready]
    execFileSync('taskset', ['-p', '-c', String(cpu), tid], { stdio: 'ignore' })
    await pause(settleMs)
    const before = wakeUps(tid)
    await pause(seconds * 1000)
    const perSecond = (wakeUps(tid) - before) / seconds
    const quiet = await lateness(worker, ports.node, () => pause(seconds * 1000))
    const busy = await lateness(worker, ports.node, () =>
      generators.load({ generator: 'tcp-rr', args: [ports.wire, busyConnections, 100, seconds] }),
    )
    return [
      [wire, 'quiet', ...kinds.map((kind) => spread(quiet[kind])), perSecond.toFixed(1)],
      ['', 'busy', ...kinds.map((kind) => spread(busy[kind])), ''],
    ]
  } finally {
    await worker.terminate()
  }
}

/** Asks the thread all the while until `meanwhile` is over. */
async function lateness(worker: Worker, port: number, meanwhile: () => Promise<unknown>): Promise<Lateness> {
  const socket = net.connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  worker.postMessage('begin')
  const time = Buffer.alloc(8)
  const asking = setInterval(() => {
    worker.postMessage(Number(process.hrtime.bigint()) / 1e6)
    time.writeDoubleLE(Number(process.hrtime.bigint()) / 1e6)
    socket.write(Buffer.from(time))
  }, askEveryMs)
  await meanwhile()
  clearInterval(asking)
  worker.postMessage('end')
  const [answer] = (await once(worker, 'message')) as [Lateness]
  socket.destroy()
  return answer
}

/** How often the thread has gone to sleep by itself. */
function wakeUps(tid: string): number {
  const status = readFileSync(`/proc/self/task/${tid}/status`, 'latin1')
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
}

function spread(times: readonly number[]): string {
  if (times.length === 0) return 'none'
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number): string => (sorted[Math.floor((sorted.length - 1) * share)] as number).toFixed(2)
  return `${at(0.5)} / ${at(0.95)} / ${at(1)}`
}
