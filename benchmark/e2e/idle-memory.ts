/** What an open TCP session without traffic costs in memory, and how fast sessions are opened. Each contender starts afresh. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Entrant } from './contenders.ts'
import type { Generators, Held, LoadReport } from './generators.ts'
import { cpuSeconds, residentBytes } from './process-cost.ts'

export interface IdleResult {
  readonly name: string
  readonly sessions: number
  readonly perSecond: number
  /** Microseconds of the proxy's processor time for opening one. */
  readonly cpuPerSession: number
  readonly bytesBefore: number
  /** With a third of them open: what comes after it no longer fits into room that was there anyway. */
  readonly bytesThird: number
  readonly bytesOpen: number
  /** After all were closed again. */
  readonly bytesAfter: number
  readonly p99: number
}

/** Descriptors are limited per process, so several processes hold the clients' ends; a proxy needs two for each session. */
const helpers = 3
/** Long enough for garbage to be collected and buffers to be given back. */
const settleMs = 3000

export async function idleMemory(entrant: Entrant, generators: Generators, sessions: number): Promise<IdleResult> {
  const contender = await entrant.start()
  const { name, ports, pid } = contender
  const tcpPort = ports.tcp
  if (pid === undefined || tcpPort === undefined) throw new Error(`${name} has no process to weigh, or no TCP`)
  const open = (count: number): Promise<Held[]> =>
    Promise.all(
      Array.from({ length: helpers }, (_, i) =>
        generators.hold('tcp-idle', [tcpPort, 2 + i, Math.floor(count / helpers), 32]),
      ),
    )
  const close = async (held: readonly Held[]): Promise<void> => {
    await Promise.all(held.map((each) => each.stop()))
  }
  try {
    // Code is compiled and tables reach their first size before anything is weighed.
    await close(await open(300))
    await pause(settleMs)
    const bytesBefore = residentBytes(pid)
    const cpu = cpuSeconds(pid)
    const third = await open(sessions / 3)
    await pause(settleMs)
    const bytesThird = residentBytes(pid)
    const held = [...third, ...(await open((sessions * 2) / 3))]
    const reports = held.map((each) => JSON.parse(each.line) as LoadReport)
    const cpuPerSession = ((cpuSeconds(pid) - cpu) * 1e6) / sessions
    await pause(settleMs)
    const bytesOpen = residentBytes(pid)
    await close(held)
    await pause(settleMs)
    const [first, second] = [reports.slice(0, helpers), reports.slice(helpers)].map((wave) =>
      Math.max(...wave.map((report) => report.seconds)),
    )
    return {
      name,
      sessions,
      perSecond: sessions / (first! + second!),
      cpuPerSession,
      bytesBefore,
      bytesThird,
      bytesOpen,
      bytesAfter: residentBytes(pid),
      p99: Math.max(...reports.map((report) => report.p99)),
    }
  } finally {
    await contender.stop()
  }
}
