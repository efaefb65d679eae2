/**
 * The edges of WebSocket through the gateway, each way: one end writes frames by hand, in one piece, in many, and together with the
 * handshake; `ws` at the other end must get those very bytes and say to them what it says without a gateway.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'
import { type EdgeCase, edgeCases, told } from '../support/websocket-edge-cases.ts'
import { closePayload, frameBytes, framesOf, opcodes } from '../support/websocket-frames.ts'

/** How the bytes of a case reach the gateway. */
const deliveries = ['in one piece', 'cut at odd places', 'with the handshake'] as const
type Delivery = (typeof deliveries)[number]

const handshakeKey = 'dGhlIHNhbXBsZSBub25jZQ=='
const acceptOf = (key = ''): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

/** All that comes on a stream, from `first` on. */
class Recorder {
  length = 0
  readonly #parts: Buffer[] = []

  constructor(stream: Duplex, first: Buffer = Buffer.alloc(0)) {
    this.#take(first)
    // Before `ws`, which takes masks off where the bytes lie.
    stream.prependListener('data', (part: Buffer) => this.#take(part))
    stream.resume()
    stream.on('error', () => {})
  }

  /** Without an HTTP head in front. */
  bytes({ behindHead = false } = {}): Buffer {
    const all = Buffer.concat(this.#parts)
    const end = behindHead ? all.indexOf('\r\n\r\n') : -4
    return end === -1 ? Buffer.alloc(0) : all.subarray(end + 4)
  }

  #take(part: Buffer): void {
    this.length += part.length
    this.#parts.push(Buffer.from(part))
  }
}

/** One end by hand, which writes, and one of `ws`, with all that they got. */
interface Session {
  readonly hand: Duplex
  /** What the end by hand got, behind the handshake. */
  readonly answered: () => Buffer
  readonly socket: WebSocket
  readonly got: Recorder
  readonly events: readonly string[]
  readonly closed: Promise<unknown>
}

/** The events of a `ws` end, as the cases tell them. */
function eventsOf(socket: WebSocket): string[] {
  const events: string[] = []
  socket.on('message', (data: RawData, isBinary) => {
    events.push(`${isBinary ? 'binary' : 'text'} ${told(data as Buffer)}`)
  })
  socket.on('ping', (data) => events.push(`ping ${told(data)}`))
  socket.on('pong', (data) => events.push(`pong ${told(data)}`))
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(`error ${error.code}`))
  socket.on('close', (code, reason) => events.push(`close ${code} ${told(reason)}`))
  return events
}

/**
 * What an end of `ws` gets, as bytes and as events. For the moment when it was just opened: `ws` listens by then, and what came with
 * the handshake is still to be read.
 */
function watched(socket: WebSocket, stream: Duplex): Omit<Session, 'hand' | 'answered'> {
  const closed = new Promise((resolve) => socket.once('close', resolve))
  return { socket, got: new Recorder(stream), events: eventsOf(socket), closed }
}

/** Writes so that each piece is a packet of its own. */
async function writeCut(stream: Duplex, bytes: Buffer): Promise<void> {
  const sizes = [1, 2, 3, 5, 7, 11, 1021, 16_381]
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const to = at + (sizes[piece % sizes.length] as number)
    const part = bytes.subarray(at, to)
    await new Promise((resolve) => stream.write(part, resolve))
    await turn()
    at = to
  }
}

const closing = (bytes: Buffer): boolean => framesOf(bytes).some(({ opcode }) => opcode === opcodes.close)

/** What `ws` says to a case: the code and reason of the close it tells, and the frames that it answers with. */
function expected(
  { frames, heard = [], refused }: EdgeCase,
  isServer: boolean,
): { events: string[]; frames: string[] } {
  const shown = (opcode: number, payload: Buffer): string => `${opcode} ${payload.toString('hex')}`
  if (refused !== undefined) {
    const error = isServer ? refused.server : refused.client
    return { events: [`error ${error}`, 'close 1006 '], frames: [shown(opcodes.close, closePayload(refused.code))] }
  }
  const { payload } = frames.at(-1)!
  const code = payload.length === 0 ? 1005 : payload.readUInt16BE()
  const pongs = frames.filter(({ opcode }) => opcode === opcodes.ping)
  return {
    events: [...heard, `close ${code} ${told(payload.subarray(2))}`],
    frames: [...pongs.map((ping) => shown(opcodes.pong, ping.payload)), shown(opcodes.close, payload)],
  }
}

describe('the edges of WebSocket through the gateway', { timeout: 120_000 }, () => {
  let gateway: TestGateway
  const http = createServer()
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  /** Who takes the upgrade of a path. */
  const takers = new Map<string, (request: IncomingMessage, socket: Duplex, head: Buffer) => void>()
  let count = 0

  before(async () => {
    http.on('upgrade', (request, socket, head) => takers.get(request.url ?? '')?.(request, socket, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const node = `127.0.0.1:${(http.address() as AddressInfo).port}`
    const route = { uri: '/*', enable_websocket: true, upstream: { nodes: { [node]: 1 } } }
    gateway = await startTestGateway({ resources: { '/routes/ws': route } })
  })
  after(async () => {
    await gateway?.stop()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  })

  /** The client writes by hand. `first` goes with its request. */
  const toServer = async (first: Buffer): Promise<Session> => {
    const path = `/to-server/${++count}`
    const hand = net.connect({ port: gateway.port('http'), host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    const answer = new Recorder(hand)
    const head = `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
    const request = `${head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${handshakeKey}\r\n\r\n`
    const session = new Promise<Session>((resolve) => {
      takers.set(path, (upgrade, stream, rest) => {
        const answered = (): Buffer => answer.bytes({ behindHead: true })
        server.handleUpgrade(upgrade, stream, rest, (socket) => resolve({ hand, answered, ...watched(socket, stream) }))
      })
    })
    hand.write(Buffer.concat([Buffer.from(request), first]))
    await until(() => answer.bytes().includes('\r\n\r\n'), { what: 'the answer to the handshake' })
    assert.match(answer.bytes().toString('latin1'), /^HTTP\/1\.1 101 /)
    return session
  }

  /** The server writes by hand. `first` goes with its answer. */
  const toClient = async (first: Buffer): Promise<Session> => {
    const path = `/to-client/${++count}`
    const taken = new Promise<{ hand: Duplex; answer: Recorder }>((resolve) => {
      takers.set(path, (request, hand, rest) => {
        const accept = acceptOf(request.headers['sec-websocket-key'])
        const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
        hand.write(Buffer.concat([Buffer.from(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`), first]))
        resolve({ hand, answer: new Recorder(hand, rest) })
      })
    })
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port('http')}${path}`, { perMessageDeflate: false })
    const seen = new Promise<ReturnType<typeof watched>>((resolve) => {
      socket.once('upgrade', ({ socket: stream }) => socket.once('open', () => resolve(watched(socket, stream))))
    })
    const { hand, answer } = await taken
    return { hand, answered: () => answer.bytes(), ...(await seen) }
  }

  const check = async (edge: EdgeCase, isServer: boolean, delivery: Delivery): Promise<void> => {
    const what = `${isServer ? 'to the server' : 'to the client'}, ${delivery}`
    const bytes = Buffer.concat(edge.frames.map((frame) => frameBytes(frame, isServer)))
    const first = delivery === 'with the handshake' ? bytes : Buffer.alloc(0)
    const session = await (isServer ? toServer(first) : toClient(first))
    const { hand, socket, got, answered, events, closed } = session
    if (delivery === 'in one piece') hand.write(bytes)
    if (delivery === 'cut at odd places') await writeCut(hand, bytes)
    try {
      await until(() => got.length >= bytes.length && closing(answered()), { what: `the answer ${what}`, ms: 5000 })
      hand.end()
      await closed
    } finally {
      hand.destroy()
      socket.terminate()
    }
    assert.ok(got.bytes().equals(bytes), `other bytes ${what}`)
    const frames = framesOf(answered()).map(({ opcode, payload }) => `${opcode} ${payload.toString('hex')}`)
    assert.deepEqual({ events, frames }, expected(edge, isServer), what)
  }

  for (const edge of edgeCases) {
    test(`${edge.name}: ${edge.refused === undefined ? 'arrives unchanged' : 'is left to the other end'}`, async () => {
      await Promise.all(deliveries.flatMap((delivery) => [true, false].map((way) => check(edge, way, delivery))))
    })
  }
})
