import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { BufferRing } from '../../../../../../src/net/direct/uring/buffer-ring.ts'
import {
  bufferOf,
  hasBuffer,
  hasMore,
  pushCancel,
  pushPoll,
  pushReceive,
  pushReceiveMany,
  pushSend,
  pushTimeout,
} from '../../../../../../src/net/direct/uring/operations.ts'
import { type CompletionReceiver, Ring } from '../../../../../../src/net/direct/uring/ring.ts'
import { uringRefusal } from '../../../../../../src/net/direct/uring/ring-setup.ts'

const skip = uringRefusal() ?? false

interface Completion {
  readonly low: number
  readonly high: number
  readonly result: number
  readonly flags: number
}

class Log implements CompletionReceiver {
  readonly list: Completion[] = []

  completed(low: number, high: number, result: number, flags: number): void {
    this.list.push({ low, high, result, flags })
  }
}

const times = new WeakMap<Ring, number>()

/** A timeout of `ms`, of which any number may run at once. */
function pushTime(ring: Ring, ms: number, low: number): void {
  const place = times.get(ring) ?? ring.arena.take(16)
  times.set(ring, place)
  new BigInt64Array(ring.arena.buffer, place, 2).set([0n, BigInt(ms) * 1_000_000n])
  pushTimeout(ring, place, low, 0)
}

/** Enters and reaps until `count` completions have come. */
function gather(ring: Ring, log: Log, count: number): void {
  while (log.list.length < count) {
    ring.enter(true)
    ring.reap(log)
  }
}

const descriptorOf = (socket: net.Socket): number => {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } }
  return handle.fd
}

async function socketPair(): Promise<{ near: net.Socket; far: net.Socket; close(): void }> {
  const server = net.createServer({ pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  const [far] = (await once(server, 'connection')) as [net.Socket]
  await once(near, 'connect').catch(() => undefined)
  for (const socket of [near, far]) socket.on('error', () => {})
  return {
    near,
    far,
    close() {
      near.destroy()
      far.destroy()
      server.close()
    },
  }
}

test('a completion brings back what its entry carried', { skip }, () => {
  const ring = new Ring({ submissions: 8, completions: 16 })
  const log = new Log()
  pushTime(ring, 1, 77 | (0x123456 << 8))
  assert.equal(ring.unsubmitted, 1)
  gather(ring, log, 1)
  assert.equal(ring.unsubmitted, 0)
  assert.deepEqual(log.list, [{ low: 77 | (0x123456 << 8), high: 0, result: -62, flags: 0 }])
  ring.close()
})

test('more entries than the queue holds are submitted in between', { skip }, () => {
  const ring = new Ring({ submissions: 8, completions: 64 })
  const log = new Log()
  for (let index = 0; index < 50; index += 1) pushTime(ring, 1, index)
  gather(ring, log, 50)
  assert.deepEqual(
    log.list.map(({ low }) => low).sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => index),
  )
  ring.close()
})

test('completions that find no room are held back, and none is lost', { skip }, () => {
  const ring = new Ring({ submissions: 8, completions: 16 })
  const log = new Log()
  for (let index = 0; index < 200; index += 1) pushTime(ring, 1, index)
  pushTime(ring, 20, 999)
  while (!log.list.some(({ low }) => low === 999)) {
    ring.enter(true)
    if (ring.hasOverflowed || ring.hasCompletions) ring.reap(log)
  }
  assert.equal(log.list.length, 201)
  assert.equal(new Set(log.list.map(({ low }) => low)).size, 201)
  ring.close()
})

test('entries of both queues go round many times', { skip }, () => {
  const ring = new Ring({ submissions: 8, completions: 16 })
  const log = new Log()
  for (let round = 1; round <= 1000; round += 1) {
    pushCancel(ring, 5, 5, round, 0)
    gather(ring, log, round)
  }
  assert.ok(log.list.every(({ low, result }, index) => low === index + 1 && result === -2))
  ring.close()
})

test('a receiver that throws hears of the completions after that one', { skip }, () => {
  const ring = new Ring({ submissions: 8, completions: 16 })
  const heard: number[] = []
  for (let index = 0; index < 3; index += 1) pushCancel(ring, 5, 5, index, 0)
  ring.enter(true)
  const receiver: CompletionReceiver = {
    completed(low) {
      heard.push(low)
      if (low === 1) throw new Error('once')
    },
  }
  assert.throws(() => ring.reap(receiver), /once/)
  ring.reap(receiver)
  assert.deepEqual(heard, [0, 1, 2])
  ring.close()
})

test('a receive that goes on fills a buffer for each piece, and ends when it is cancelled', { skip }, async () => {
  const ring = new Ring({ submissions: 8, completions: 64 })
  const buffers = new BufferRing(ring, { group: 3, buffers: 8, bufferBytes: 4096, lent: 4 })
  const { near, far, close } = await socketPair()
  const log = new Log()
  pushReceiveMany(ring, descriptorOf(far), 3, 9, 1)
  ring.enter(false)
  for (const text of ['one', 'two', 'three']) {
    near.write(text)
    await new Promise((resolve) => setImmediate(resolve))
    gather(ring, log, log.list.length + 1)
    const { low, result, flags } = log.list.at(-1) as Completion
    assert.equal(low, 9)
    assert.equal(flags & (hasBuffer | hasMore), hasBuffer | hasMore)
    buffers.taken(bufferOf(flags))
    assert.equal(Buffer.from(buffers.view(bufferOf(flags), result)).toString(), text)
    assert.equal(buffers.used, 1)
    buffers.release(bufferOf(flags))
    assert.equal(buffers.used, 0)
  }
  pushCancel(ring, 9, 1, 2, 0)
  gather(ring, log, 4)
  assert.deepEqual([log.list[3]?.result, (log.list[3]?.flags ?? 0) & hasMore], [-125, 0])
  close()
  ring.close()
})

test('without a buffer a receive fails with ENOBUFS and takes nothing from the socket', { skip }, async () => {
  const ring = new Ring({ submissions: 8, completions: 64 })
  const buffers = new BufferRing(ring, { group: 0, buffers: 2, bufferBytes: 4, lent: 2 })
  const { near, far, close } = await socketPair()
  const log = new Log()
  near.write('abcdefghijkl')
  for (const expected of [4, 4, -105]) {
    pushReceive(ring, descriptorOf(far), 0, 1, 0)
    gather(ring, log, log.list.length + 1)
    const { result, flags } = log.list.at(-1) as Completion
    assert.equal(result, expected)
    if (result > 0) buffers.taken(bufferOf(flags))
  }
  assert.equal(buffers.lent, 0)
  const last = log.list[1] as Completion
  buffers.release(bufferOf(last.flags))
  pushReceive(ring, descriptorOf(far), 0, 1, 0)
  gather(ring, log, 4)
  const { flags } = log.list[3] as Completion
  assert.equal(Buffer.from(buffers.view(bufferOf(flags), 4)).toString(), 'ijkl')
  close()
  ring.close()
})

test('a buffer is lent again when its last user is done with it, and never twice', { skip }, () => {
  const ring = new Ring({ submissions: 8, completions: 16 })
  const buffers = new BufferRing(ring, { group: 0, buffers: 4, bufferBytes: 64, lent: 2 })
  assert.deepEqual([buffers.lent, buffers.spare, buffers.used], [2, 2, 0])
  buffers.taken(0)
  buffers.retain(0)
  buffers.release(0)
  assert.deepEqual([buffers.lent, buffers.spare, buffers.used], [1, 2, 1])
  buffers.refill()
  assert.deepEqual([buffers.lent, buffers.spare, buffers.used], [2, 1, 1])
  buffers.release(0)
  assert.deepEqual([buffers.lent, buffers.spare, buffers.used], [2, 2, 0])
  assert.throws(() => buffers.release(0), /once too often/)
  assert.equal(buffers.at(buffers.placeOf(3) + 63), 3)
  assert.equal(buffers.at(buffers.placeOf(0) - 1), -1)
  assert.equal(buffers.at(buffers.placeOf(4)), -1)
  ring.close()
})

test('what a socket takes whole does not complete; a send that finds no room does at once, and a poll tells of room', {
  skip,
}, async () => {
  const ring = new Ring({ submissions: 8, completions: 16 })
  const { near, far, close } = await socketPair()
  const bytes = 1 << 20
  const place = ring.arena.take(bytes)
  const fd = descriptorOf(far)
  const log = new Log()
  let sent = 0
  pushSend(ring, fd, place, 100, 1, 0)
  ring.enter(false)
  assert.equal(ring.hasCompletions, false)
  sent += 100
  for (;;) {
    pushSend(ring, fd, place, bytes, 1, 0)
    ring.enter(false)
    if (ring.reap(log) === 0) {
      sent += bytes
      continue
    }
    const { result } = log.list.at(-1) as Completion
    if (result === -11) break
    assert.ok(result > 0 && result < bytes)
    sent += result
  }
  const writable = 4
  pushPoll(ring, fd, writable, 2, 0)
  ring.enter(false)
  let got = 0
  near.on('data', (bytes) => {
    got += bytes.length
  })
  while (got < sent) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(got, sent)
  const before = log.list.length
  gather(ring, log, before + 1)
  assert.equal((log.list.at(-1) as Completion).result & writable, writable)
  close()
  ring.close()
})
