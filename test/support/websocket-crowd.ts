/**
 * Many WebSocket clients that send messages to an echo and check that each comes back unchanged and in its order. Run by itself, this
 * file is the process that they live in: the loop of the test is left to the server, `serveEcho`.
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type RawData, WebSocket, type WebSocketServer } from 'ws'
import { Dice, fuzzSeed } from './dice.ts'

export interface CrowdOptions {
  readonly port: number
  readonly connections: number
  /** Of each connection. */
  readonly messages: number
}

export interface CrowdOutcome {
  /** Came back as they were sent, where it was their turn. */
  readonly echoed: number
  /** Their payload. */
  readonly bytes: number
  /** By the code that the close event of a client told, those with a reason that fits and in order. */
  readonly closed: Readonly<Record<string, number>>
  /** What went wrong, the first few. */
  readonly wrong: readonly string[]
  /** From the first connection until all were open, and from then to the last echo. */
  readonly openSeconds: number
  readonly echoSeconds: number
}

/** The codes that connections are closed with: half by the client, half by the server. */
export const closingCodes = { client: 4001, server: 4002 } as const

/** Echoes on each connection, and closes those that asked for it in their path (`/server/COUNT`) behind so many messages. */
export function serveEcho(server: WebSocketServer): void {
  server.on('connection', (socket, request) => {
    let left = Number(/^\/server\/(\d+)$/.exec(request.url ?? '')?.[1] ?? Number.POSITIVE_INFINITY)
    socket.on('message', (data: RawData, isBinary) => {
      socket.send(data, { binary: isBinary })
      if (--left === 0) socket.close(closingCodes.server, 'enough')
    })
  })
}

/** Resolves when each connection was closed, or gave up. */
export async function runCrowd({ port, connections, messages }: CrowdOptions): Promise<CrowdOutcome> {
  const child = fork(fileURLToPath(import.meta.url), [port, connections, messages].map(String))
  const ended = once(child, 'exit')
  try {
    const over = ended.then(([status]) => Promise.reject(new Error(`the clients ended with ${status}`)))
    const [outcome] = await Promise.race([once(child, 'message') as Promise<[CrowdOutcome]>, over])
    return outcome
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

/** Messages of a connection that are on their way at the same time, at most. */
const underWay = 8
const largest = 65_536
const binaryNoise = randomBytes(2 * largest)
const textNoise = Buffer.from(randomBytes(2 * largest).toString('base64'))

/** Most messages are small; each class of lengths of the frame format occurs. */
function sizeOf(dice: Dice): number {
  const share = dice.roll(100)
  if (share < 70) return 1 + dice.roll(125)
  if (share < 90) return 126 + dice.roll(900)
  if (share < 98) return 1026 + dice.roll(7000)
  return 1 + dice.roll(largest)
}

interface Crowd {
  readonly messages: number
  readonly closed: Record<string, number>
  readonly wrong: string[]
  echoed: number
  bytes: number
  lastEcho: number
}

class Client {
  readonly opened: Promise<unknown>
  readonly over: Promise<unknown>
  readonly #socket: WebSocket
  readonly #crowd: Crowd
  readonly #name: string
  readonly #code: number
  readonly #dice: Dice
  readonly #expected: { readonly data: Buffer; readonly isBinary: boolean }[] = []
  #sent = 0
  #echoed = 0

  constructor(port: number, index: number, crowd: Crowd) {
    const closer = index % 2 === 0 ? 'client' : 'server'
    this.#crowd = crowd
    this.#name = `connection ${index}`
    this.#code = closingCodes[closer]
    this.#dice = new Dice(fuzzSeed + index)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${closer}/${crowd.messages}`, { perMessageDeflate: false })
    this.#socket = socket
    this.opened = new Promise((resolve) => {
      socket.once('open', resolve)
      socket.once('close', resolve)
    })
    this.over = new Promise((resolve) => socket.once('close', resolve))
    socket.on('message', (data: Buffer, isBinary) => this.#came(data, isBinary))
    socket.on('error', (error) => this.#wrong(error.message))
    socket.on('close', (code, reason) => this.#closed(code, reason.toString()))
  }

  start(): void {
    while (this.#sent < Math.min(underWay, this.#crowd.messages)) this.#send()
  }

  #send(): void {
    const isBinary = this.#dice.roll(2) === 0
    const from = this.#dice.roll(largest)
    const data = (isBinary ? binaryNoise : textNoise).subarray(from, from + sizeOf(this.#dice))
    this.#expected.push({ data, isBinary })
    this.#sent++
    this.#socket.send(data, { binary: isBinary })
  }

  #came(data: Buffer, isBinary: boolean): void {
    const expected = this.#expected.shift()
    if (expected === undefined) return this.#wrong(`${data.length} bytes that nobody sent`)
    if (expected.isBinary !== isBinary || !expected.data.equals(data)) {
      return this.#wrong(`message ${this.#echoed}: ${data.length} bytes for ${expected.data.length} that were sent`)
    }
    this.#echoed++
    this.#crowd.echoed++
    this.#crowd.bytes += data.length
    if (this.#sent < this.#crowd.messages) this.#send()
    else if (this.#expected.length === 0) {
      this.#crowd.lastEcho = performance.now()
      if (this.#code === closingCodes.client) this.#socket.close(this.#code, 'enough')
    }
  }

  #closed(code: number, reason: string): void {
    const { closed } = this.#crowd
    closed[code] = (closed[code] ?? 0) + 1
    if (code !== this.#code || reason !== 'enough') this.#wrong(`closed with ${code} '${reason}' for ${this.#code}`)
    if (this.#expected.length > 0) this.#wrong(`${this.#expected.length} messages did not come back`)
  }

  #wrong(what: string): void {
    if (this.#crowd.wrong.length < 10) this.#crowd.wrong.push(`${this.#name}: ${what}`)
    // What is behind it would be waited for.
    this.#socket.terminate()
  }
}

async function crowd(port: number, connections: number, messages: number): Promise<CrowdOutcome> {
  const started = performance.now()
  const sums: Crowd = { messages, closed: {}, wrong: [], echoed: 0, bytes: 0, lastEcho: 0 }
  const clients = Array.from({ length: connections }, (_, index) => new Client(port, index, sums))
  await Promise.all(clients.map(({ opened }) => opened))
  const open = performance.now()
  for (const client of clients) client.start()
  await Promise.all(clients.map(({ over }) => over))
  const { echoed, bytes, closed, wrong, lastEcho } = sums
  const [openSeconds, echoSeconds] = [(open - started) / 1000, (lastEcho - open) / 1000]
  return { echoed, bytes, closed, wrong, openSeconds, echoSeconds }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port = 0, connections = 0, messages = 0] = process.argv.slice(2).map(Number)
  process.send?.(await crowd(port, connections, messages))
}
