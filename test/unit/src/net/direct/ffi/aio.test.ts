/** Reads and writes of many descriptors by one call. */
import assert from 'node:assert/strict'
import { closeSync, openSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { test } from 'node:test'
import { wires } from '../../../../../../src/net/wires.ts'

const refusal = wires.find(({ name }) => name === 'epoll')?.refusal() ?? false
const { AioCall, AioContext, aioRoom } =
  refusal === false ? await import('../../../../../../src/net/direct/ffi/aio.ts') : ({} as never)
const { Region } = refusal === false ? await import('../../../../../../src/net/direct/ffi/memory.ts') : ({} as never)
const context = refusal === false ? AioContext.open() : undefined
const skip = refusal !== false ? refusal : context === undefined && 'this system has no AIO, or none left'
context?.close()

const queues = (): number => Number(readFileSync('/proc/sys/fs/aio-nr', 'latin1'))

test('each result is that of its own descriptor, and one that is refused keeps none from its turn', { skip }, (t) => {
  const context = AioContext.open()!
  t.after(() => context.close())
  const zero = openSync('/dev/zero', 'r')
  const empty = openSync('/dev/null', 'r')
  t.after(() => [zero, empty].forEach(closeSync))
  const region = new Region(aioRoom * 100)
  region.bytes.fill(7)
  const call = new AioCall('read')
  const fds = [zero, empty, -1, zero, -1, -1, empty, zero]
  // More often than the queue is long, so that it comes round.
  for (let round = 0; round < 300; round += 1) {
    for (const [index, fd] of fds.entries()) call.put(index, fd, region.address + index * 100, 10 + index)
    call.submit(context, fds.length)
    assert.deepEqual([...call.results.subarray(0, fds.length)], [10, 0, -4, 13, -4, -4, 0, 17])
  }
  assert.deepEqual([...region.bytes.subarray(298, 315)], [7, 7, ...new Array(13).fill(0), 7, 7])
})

test('as many as there is room for are written in the order that they were put in', { skip }, async (t) => {
  const context = AioContext.open()!
  t.after(() => context.close())
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = net.connect((server.address() as net.AddressInfo).port)
  t.after(() => {
    client.destroy()
    server.close()
  })
  const socket = await new Promise<net.Socket>((resolve) => server.once('connection', resolve))
  const { fd } = (client as unknown as { _handle: { fd: number } })._handle
  const region = new Region(4096)
  const call = new AioCall('write')
  for (let index = 0; index < aioRoom; index += 1) {
    region.bytes[index] = 65 + index
    call.put(index, fd, region.address + index, 1)
  }
  call.submit(context, aioRoom)
  assert.deepEqual(new Set(call.results), new Set([1]))
  let text = ''
  for await (const bytes of socket) {
    text += String(bytes)
    if (text.length === aioRoom) break
  }
  assert.equal(text, String.fromCharCode(...Array.from({ length: aioRoom }, (_, index) => 65 + index)))
})

test('a closed queue is given back to the system', { skip }, () => {
  const before = queues()
  const context = AioContext.open()
  assert.ok(queues() > before)
  context?.close()
  assert.equal(queues(), before)
})
