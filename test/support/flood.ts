/**
 * Many connections at once, from processes of their own, so that neither the descriptors nor the loop of the test are in the way.
 * Each process has a source address of its own: one has no more than some 28,000 ports. Run by itself, this file is such a process.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'

export interface FloodOptions {
  readonly port: number
  readonly connections: number
  readonly processes: number
  /** Sent by each once it is connected. Default: nothing. */
  readonly payload?: Uint8Array
}

/** What became of the connections; those that are not through after some seconds are given up. */
export interface FloodOutcome {
  /** Got through the handshake of TCP. */
  readonly connected: number
  /** Of those, closed or reset by the other side by now. */
  readonly closed: number
  /** Never got through. */
  readonly failed: number
}

export interface Flood {
  /** Resolves when each connection got through or failed. */
  readonly settled: Promise<FloodOutcome>
  now(): Promise<FloodOutcome>
  /** Closes all that are left and ends the processes. */
  stop(): Promise<void>
}

type Counts = { -readonly [K in keyof FloodOutcome]: number }

export function startFlood({ port, connections, processes, payload }: FloodOptions): Flood {
  const share = Math.ceil(connections / processes)
  const children = Array.from({ length: processes }, (_, i) => {
    const hex = Buffer.from(payload ?? []).toString('hex')
    return fork(fileURLToPath(import.meta.url), [String(port), String(share), `127.0.1.${i + 1}`, hex])
  })
  for (const child of children) child.unref()
  const ask = async (question: 'settled' | 'now'): Promise<FloodOutcome> => {
    const all = await Promise.all(children.map((child) => answerOf(child, question)))
    const sum = (of: (counts: FloodOutcome) => number): number => all.reduce((total, counts) => total + of(counts), 0)
    return {
      connected: sum(({ connected }) => connected),
      closed: sum(({ closed }) => closed),
      failed: sum(({ failed }) => failed),
    }
  }
  return {
    settled: ask('settled'),
    now: () => ask('now'),
    async stop() {
      const living = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
      const ends = living.map((child) => once(child, 'exit'))
      for (const child of living) child.kill('SIGKILL')
      await Promise.all(ends)
    },
  }
}

async function answerOf(child: ChildProcess, question: string): Promise<FloodOutcome> {
  child.send(question)
  for (;;) {
    const [message] = (await once(child, 'message')) as [{ question: string; counts: FloodOutcome }]
    if (message.question === question) return message.counts
  }
}

/** A client whose SYN finds no room tries again ever later, for two minutes. No flood is waited for that long. */
const patienceMs = 6000

/** Opens all connections in one go, and answers questions until it is ended. */
function flood(port: number, connections: number, localAddress: string, payload: Buffer): void {
  const counts: Counts = { connected: 0, closed: 0, failed: 0 }
  let settled: () => void = () => {}
  const all = new Promise<void>((resolve) => {
    settled = resolve
  })
  const trying = new Set<net.Socket>()
  setTimeout(() => {
    for (const socket of trying) socket.destroy()
  }, patienceMs)
  for (let i = 0; i < connections; i++) {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress })
    let through = false
    trying.add(socket)
    socket.on('connect', () => {
      through = true
      trying.delete(socket)
      counts.connected++
      if (payload.length > 0) socket.write(payload)
      if (counts.connected + counts.failed === connections) settled()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      trying.delete(socket)
      if (through) counts.closed++
      else counts.failed++
      if (counts.connected + counts.failed === connections) settled()
    })
    socket.resume()
  }
  process.on('message', async (question: string) => {
    if (question === 'settled') await all
    process.send?.({ question, counts: { ...counts } })
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port, connections, localAddress, payload] = process.argv.slice(2)
  flood(Number(port), Number(connections), localAddress ?? '', Buffer.from(payload ?? '', 'hex'))
}
