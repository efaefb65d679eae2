/**
 * Connections opened, fed, cut, reset, half-closed and left lying at random, through a relay on each wire. What either end
 * receives has to be what the other end sent, in order and from that connection; a cut one may lack the tail. Seeded:
 * `SLUICE_FUZZ_SEED` repeats a run, `SLUICE_FUZZ_SECONDS` makes it longer.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import net from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { TimerWheel } from '../../src/base/timers.ts'
import { type RelayOutcome, relay } from '../../src/net/relay.ts'
import type { Wire } from '../../src/net/wire.ts'
import { wires } from '../../src/net/wires.ts'
import { streamTo } from '../support/recorder.ts'
import { until } from '../support/until.ts'

const seed = Number(process.env['SLUICE_FUZZ_SEED'] ?? 1)
const seconds = Number(process.env['SLUICE_FUZZ_SECONDS'] ?? 2)

class Dice {
  #state: number

  constructor(from: number) {
    this.#state = (from * 2654435761 + 1) >>> 0
  }

  /** 0 to `below` - 1. */
  roll(below: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % below
  }
}

/** A prime, so that neither pages nor buffers are periods of it. */
const tileBytes = 65_521
const tile = Buffer.alloc(tileBytes * 3)
const paint = new Dice(7)
for (let at = 0; at < tileBytes; at += 1) tile[at] = paint.roll(256)
tile.copy(tile, tileBytes, 0, tileBytes)
tile.copy(tile, tileBytes * 2, 0, tileBytes)

/** What one direction of one connection carries, by place. */
function content(stream: number, at: number, size: number): Buffer {
  const from = (stream * 7919 + at) % tileBytes
  return tile.subarray(from, from + size)
}

/** One end of a connection: sends and checks what it receives. */
class End {
  readonly socket: net.Socket
  readonly sends: number
  readonly receives: number
  sent = 0
  received = 0
  ended = false
  wrong: string | undefined

  constructor(socket: net.Socket, sends: number, receives: number) {
    this.socket = socket
    this.sends = sends
    this.receives = receives
    socket.on('error', () => {})
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += tileBytes) {
        const piece = bytes.subarray(at, at + tileBytes)
        if (!piece.equals(content(this.receives, this.received, piece.length))) {
          this.wrong ??= `stream ${this.receives}: other bytes at ${this.received}`
        }
        this.received += piece.length
      }
    })
  }

  send(size: number): void {
    for (let left = size; left > 0; left -= tileBytes) {
      const piece = Math.min(left, tileBytes)
      this.socket.write(content(this.sends, this.sent, piece))
      this.sent += piece
    }
  }
}

interface Bench {
  /** Connections that were reset before the backend had to take part. */
  readonly orphans: Set<number>
  readonly backends: Map<number, net.Socket>
  readonly outcomes: RelayOutcome[]
  readonly errors: unknown[]
  readonly port: number
}

/** One connection through the relay; resolves when both its ends are closed. */
async function connection(bench: Bench, index: number, dice: Dice): Promise<void> {
  const socket = net.connect({ port: bench.port, host: '127.0.0.1', allowHalfOpen: true })
  const client = new End(socket, index * 2, index * 2 + 1)
  // The first four bytes tell the backend which connection this is; they are not part of what is compared.
  const name = Buffer.alloc(4)
  name.writeUInt32BE(index)
  socket.write(name)
  const hasReset = dice.roll(12) === 0
  if (hasReset) {
    if (dice.roll(2) === 0) await turn()
    socket.resetAndDestroy()
    bench.orphans.add(index)
    return
  }
  const raw = await until(() => bench.backends.get(index), { what: `connection ${index} at the backend` })
  const server = new End(raw, index * 2 + 1, index * 2)
  raw.resume()
  const steps = 1 + dice.roll(12)
  for (let step = 0; step < steps; step += 1) {
    const one = dice.roll(2) === 0 ? client : server
    const kind = dice.roll(10)
    if (kind < 5) one.send(1 + dice.roll(300))
    else if (kind < 7) one.send(1 + dice.roll(20_000))
    else if (kind === 7) one.send(dice.roll(700_000))
    else if (kind === 8) one.socket.pause()
    else one.socket.resume()
    if (dice.roll(3) === 0) await turn()
  }
  const end = dice.roll(10)
  const [first, second] = dice.roll(2) === 0 ? [client, server] : [server, client]
  let isWhole = false
  if (end < 2) second.socket.once('end', () => second.socket.end())
  if (end === 0) first.socket.resetAndDestroy()
  else if (end === 1) first.socket.destroy()
  else {
    isWhole = true
    client.socket.resume()
    server.socket.resume()
    first.socket.end()
    await until(() => second.ended || second.socket.destroyed, { what: `the end of connection ${index}` })
    second.send(dice.roll(100_000))
    second.socket.end()
  }
  client.socket.resume()
  server.socket.resume()
  await until(() => client.socket.closed && server.socket.closed, { what: `the close of connection ${index}` })
  assert.equal(client.wrong, undefined)
  assert.equal(server.wrong, undefined)
  assert.ok(client.received <= server.sent && server.received <= client.sent, `connection ${index}`)
  if (isWhole) assert.deepEqual([client.received, server.received], [server.sent, client.sent], `connection ${index}`)
}

async function fuzz(wire: Wire, wheel: TimerWheel): Promise<number> {
  const backends = new Map<number, net.Socket>()
  const orphans = new Set<number>()
  const sockets = new Set<net.Socket>()
  const outcomes: RelayOutcome[] = []
  const errors: unknown[] = []
  let accepted = 0
  const backend = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    socket.once('readable', function read() {
      const name = socket.read(4) as Buffer | null
      if (name === null) {
        if (!socket.readableEnded && !socket.destroyed) socket.once('readable', read)
        return
      }
      const index = name.readUInt32BE()
      if (!orphans.has(index)) backends.set(index, socket)
      else socket.destroy()
    })
  })
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const target = streamTo((backend.address() as net.AddressInfo).port)
  const listener = await wire.listen(
    { host: '127.0.0.1', port: 0, reusePort: false, backlog: 512, keepAliveMs: 60_000 },
    (downstream) => {
      accepted += 1
      wire.dial(target, {
        connected: (upstream) => {
          relay(downstream, upstream, { idleMs: 20_000, lingerMs: 0, wheel }, (outcome) => outcomes.push(outcome))
        },
        failed: (error) => errors.push(error),
      })
    },
    (error) => errors.push(error),
  )
  const bench: Bench = { orphans, backends, outcomes, errors, port: listener.port }
  const deadline = performance.now() + seconds * 1000
  let next = 0
  try {
    await Promise.all(
      Array.from({ length: 24 }, async () => {
        while (performance.now() < deadline) {
          const index = next
          next += 1
          await connection(bench, index, new Dice(seed * 1_000_003 + index))
          backends.get(index)?.destroy()
          backends.delete(index)
        }
      }),
    )
  } finally {
    for (const socket of sockets) socket.destroy()
    await listener.close()
    backend.close()
  }
  await until(() => outcomes.length === accepted, { what: `${accepted} outcomes, there are ${outcomes.length}` })
  assert.deepEqual(errors, [])
  return next
}

const contenders: [name: string, create: (wheel: TimerWheel) => Wire][] = wires
  .filter((kind) => kind.refusal() === undefined)
  .map((kind) => [kind.name, (wheel) => kind.create({ wheel })])
for (const kind of wires) {
  if (kind.name === 'uring' && kind.refusal() === undefined) {
    const { createUringWire } = await import('../../src/net/direct/uring/wire.ts')
    contenders.push(['uring with checks', (wheel) => createUringWire({ wheel, checks: true })])
    contenders.push(['uring on short queues', (wheel) => createUringWire({ wheel, shortQueues: true })])
  }
  if (kind.name === 'epoll' && kind.refusal() === undefined) {
    const { createEpollWire } = await import('../../src/net/direct/epoll/wire.ts')
    contenders.push(['epoll with checks', (wheel) => createEpollWire({ wheel, checks: true })])
    contenders.push(['epoll, one call for each socket', (wheel) => createEpollWire({ wheel, joint: false })])
  }
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length

for (const [name, create] of contenders) {
  test(`${name}: random connections keep their bytes apart and in order, seed ${seed}`, {
    skip: process.platform !== 'linux' && 'needs /proc',
    timeout: seconds * 1000 + 60_000,
  }, async (context) => {
    const wheel = new TimerWheel({ unref: true })
    const wire = create(wheel)
    const before = openDescriptors()
    const connections = await fuzz(wire, wheel)
    context.diagnostic(`${connections} connections`)
    await until(() => openDescriptors() <= before, { what: 'every descriptor closed again' })
    assert.equal(wheel.size, 0)
  })
}
