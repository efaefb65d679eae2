/** Sends of a turn: who has sent all, and who has not, is known from who is not heard of. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { type Departing, Departures, type Flight } from '../../../../../../src/net/direct/uring/departures.ts'
import { kindOf, pushCancel, pushSend, sendKind } from '../../../../../../src/net/direct/uring/operations.ts'
import { Outbox } from '../../../../../../src/net/direct/uring/outbox.ts'
import { Ring } from '../../../../../../src/net/direct/uring/ring.ts'
import { uringRefusal } from '../../../../../../src/net/direct/uring/ring-setup.ts'
import { Slots } from '../../../../../../src/net/direct/uring/slots.ts'

const skip = uringRefusal() ?? false
const blockBytes = 1 << 20

/** Sends a block of the arena on a socket, once a flight. */
class Block implements Departing {
  readonly isAwaited = false
  readonly key: number
  readonly results: (number | 'all')[] = []
  readonly told: number[] = []
  readonly #ring: Ring
  readonly #fd: number
  readonly #place: number
  #result: number | 'all' = 'all'
  #flies = false

  constructor(ring: Ring, slots: Slots, fd: number, place: number) {
    this.#ring = ring
    this.#fd = fd
    this.#place = place
    this.key = slots.take({
      completed: (kind, result) => {
        assert.equal(kind, sendKind)
        this.#result = result
      },
    })
  }

  fly(flight: number): Flight {
    if (this.#flies) return 'later'
    this.#flies = true
    this.#result = 'all'
    pushSend(this.#ring, this.#fd, this.#place, blockBytes, flight, this.key)
    return 'flown'
  }

  land(): boolean {
    this.#flies = false
    this.results.push(this.#result)
    return this.#result !== 'all'
  }

  tell(): void {
    this.told.push(this.results.length)
  }

  leaveOutbox(): void {}
}

interface Bench {
  readonly ring: Ring
  readonly departures: Departures
  readonly block: Block
  close(): void
}

async function bench(): Promise<Bench> {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  const [far] = (await once(server, 'connection')) as [net.Socket]
  const ring = new Ring({ submissions: 8, completions: 16 })
  const slots = new Slots()
  const departures = new Departures(ring, slots, new Outbox(ring.arena))
  const { fd } = (far as unknown as { _handle: { fd: number } })._handle
  return {
    ring,
    departures,
    block: new Block(ring, slots, fd, ring.arena.take(blockBytes)),
    close() {
      near.destroy()
      far.destroy()
      server.close()
      ring.close()
    },
  }
}

/** What the engine does with completions. */
function reap({ ring, departures }: Bench): void {
  ring.reap({
    completed(low, high, result) {
      if (kindOf(low) === sendKind) departures.completed(low, high, result)
    },
  })
}

test('a socket takes blocks whole until it is full, and then part of one, or nothing', { skip }, async () => {
  const one = await bench()
  const { ring, departures, block } = one
  while (block.results.at(-1) !== -11) {
    departures.add(block)
    departures.leave()
    ring.enter(false)
    departures.arrive()
    reap(one)
    departures.tell()
  }
  const [part] = block.results.slice(-2)
  assert.ok(block.results.slice(0, -2).every((result) => result === 'all'))
  assert.ok(part === 'all' || (part as number) < blockBytes, `${part}`)
  assert.equal(block.told.at(-1), block.results.length)
  one.close()
})

test('while completions are held back nothing is taken for sent, and a failure among them is found', {
  skip,
}, async () => {
  const one = await bench()
  const { ring, departures, block } = one
  const fly = (others: number): void => {
    departures.add(block)
    departures.leave()
    for (let index = 0; index < others; index += 1) pushCancel(ring, 5, 5, 1, 0)
    ring.enter(false)
    departures.arrive()
  }
  while (block.results.at(-1) !== -11) {
    fly(0)
    reap(one)
  }
  const before = block.results.length
  // More than the queue of completions holds, after the send that fails.
  fly(40)
  assert.equal(ring.hasOverflowed, true)
  assert.equal(block.results.length, before)
  for (let round = 0; round < 10 && block.results.length === before; round += 1) {
    reap(one)
    ring.enter(false)
    departures.arrive()
  }
  assert.deepEqual(block.results.slice(before), [-11])
  one.close()
})
