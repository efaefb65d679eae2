/**
 * Datagrams in batches: `struct mmsghdr` and what hangs on it, laid out once per thread. Every pointer in it is ours and
 * stays; the kernel fills in sizes, which are checked against the room that there is.
 */
import type { SocketName } from '../engine.ts'
import { call, errno } from './calls.ts'
import { allocate } from './memory.ts'
import { Inet, inet, inet6, nameOfInet6, nowhere } from './socket-address.ts'

/** Larger than any datagram of UDP without jumbograms. */
export const maxDatagramBytes = 65_536
const headerBytes = 64
const vectorBytes = 16
const nameBytes = 32
const controlBytes = 64
const truncated = 0x20
const doNotWait = 0x40
const noSignal = 0x4000
const perMessage = headerBytes + vectorBytes + nameBytes + controlBytes

const packetInfo = 8
const packetInfo6 = 50

/** So many messages with so much room each. Data comes last: pages that no datagram reaches take no memory. */
class Messages {
  readonly count: number
  readonly room: number
  readonly stride: number
  readonly address: bigint
  readonly dataAt: number
  readonly dataAddress: bigint
  readonly buffer: ArrayBuffer
  readonly view: DataView
  readonly words: Uint32Array
  readonly bytes: Uint8Array

  constructor(count: number, room: number) {
    // Not a power of two apart: the first lines of all slots would fall into the same few places of the cache.
    const stride = room + 512
    const memory = allocate(count * (perMessage + stride) + 64)
    this.count = count
    this.room = room
    this.stride = stride
    this.address = memory.address
    this.buffer = memory.buffer
    this.dataAt = Math.ceil((count * perMessage) / 64) * 64
    this.dataAddress = memory.address + BigInt(this.dataAt)
    this.view = new DataView(memory.buffer)
    this.words = new Uint32Array(memory.buffer)
    this.bytes = new Uint8Array(memory.buffer)
    this.bytes.fill(0, 0, this.dataAt)
    for (let index = 0; index < count; index += 1) this.#layOut(index)
  }

  header(index: number): number {
    return index * headerBytes
  }

  vector(index: number): number {
    return this.count * headerBytes + index * vectorBytes
  }

  name(index: number): number {
    return this.count * (headerBytes + vectorBytes) + index * nameBytes
  }

  control(index: number): number {
    return this.count * (headerBytes + vectorBytes + nameBytes) + index * controlBytes
  }

  data(index: number): number {
    return this.dataAt + index * this.stride
  }

  #layOut(index: number): void {
    const header = this.header(index)
    const at = (offset: number): bigint => this.address + BigInt(offset)
    this.view.setBigUint64(header, at(this.name(index)), true)
    this.view.setBigUint64(header + 16, at(this.vector(index)), true)
    this.view.setBigUint64(header + 24, 1n, true)
    this.view.setBigUint64(header + 32, at(this.control(index)), true)
    this.view.setBigUint64(this.vector(index), at(this.data(index)), true)
    this.view.setBigUint64(this.vector(index) + 8, BigInt(this.room), true)
  }
}

/** Where a client is, as the kernel has it: to send back to. */
export class Peer {
  readonly size: number
  readonly words: readonly number[]

  constructor(size: number, words: readonly number[]) {
    this.size = size
    this.words = words
  }
}

/** The local address that a datagram was sent to, to answer from; only its family's form is kept. */
export type LocalAddress = readonly number[]

const inbox = new Messages(64, maxDatagramBytes)

/** Takes what has come, a batch at most: how many, or a negative errno. They stay until the next call, of any socket. */
export function receiveBatch(fd: number): number {
  const { words, count } = inbox
  for (let index = 0; index < count; index += 1) {
    const header = inbox.header(index) >>> 2
    words[header + 2] = nameBytes
    words[header + 10] = controlBytes
  }
  const got = call.recvmmsg(fd, inbox.address, count, doNotWait, 0n)
  return got < 0 ? -(errno[0] as number) : Math.min(got, count)
}

/** The bytes of a datagram of the batch, or undefined when it did not fit. Borrowed until the next batch. */
export function datagramAt(index: number): Uint8Array | undefined {
  const header = inbox.header(index) >>> 2
  const size = inbox.words[header + 14] as number
  if (((inbox.words[header + 12] as number) & truncated) !== 0 || size > inbox.room) return undefined
  return new Uint8Array(inbox.buffer, inbox.data(index), size)
}

/** What tells one client from another: a number for IPv4, text for IPv6. */
export function clientKeyAt(index: number): number | string {
  const { words } = inbox
  const name = inbox.name(index) >>> 2
  const first = words[name] as number
  if ((first & 0xffff) === inet) return (first >>> 16) * 0x1_0000_0000 + (words[name + 1] as number)
  return `${first} ${words[name + 2]} ${words[name + 3]} ${words[name + 4]} ${words[name + 5]} ${words[name + 6]}`
}

export function peerAt(index: number): Peer {
  const name = inbox.name(index) >>> 2
  const size = ((inbox.words[name] as number) & 0xffff) === inet ? 16 : 28
  return new Peer(size, Array.from(inbox.words.subarray(name, name + size / 4)))
}

export function peerNameAt(index: number): SocketName {
  const { view } = inbox
  const name = inbox.name(index)
  const family = view.getUint16(name, true)
  const port = view.getUint16(name + 2)
  if (family === inet) return new Inet(view.getUint32(name + 4), port)
  if (family !== inet6) return nowhere
  return nameOfInet6(view, name + 8, inbox.address + BigInt(name + 8), port)
}

/** Where the datagram was sent to, for sockets that asked with `setPacketInfo`. */
export function localAt(index: number): LocalAddress | undefined {
  const { words, view } = inbox
  const at = inbox.control(index)
  const length = words[(inbox.header(index) >>> 2) + 10] as number
  if (length < 28) return undefined
  const type = view.getInt32(at + 12, true)
  const word = at >>> 2
  if (type === packetInfo) return [words[word + 5] as number]
  if (type !== packetInfo6 || length < 36) return undefined
  return [4, 5, 6, 7].map((offset) => words[word + offset] as number)
}

/** As text: read back through the place that the kernel left it in. */
export function localNameAt(index: number, port: number): SocketName {
  const { view } = inbox
  const at = inbox.control(index)
  const local = localAt(index)
  if (local === undefined) return { host: '', port }
  if (local.length === 1) return new Inet(view.getUint32(at + 20), port)
  return nameOfInet6(view, at + 16, inbox.address + BigInt(at + 16), port)
}

const small = new Messages(64, 2048)
const large = new Messages(1, maxDatagramBytes)

/** Replies of one socket that leave together. */
export class Outbox {
  readonly fd: number

  constructor(fd: number) {
    this.fd = fd
  }

  /** Copies a datagram into the batch. It has to be sent with `send` before the thread does anything else with an outbox. */
  static put(index: number, bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void {
    write(small, index, bytes, peer, from)
  }

  /** Whether a datagram goes into a batch; if not, `sendLarge` takes it. */
  static fits(bytes: Uint8Array): boolean {
    return bytes.length <= small.room
  }

  /** Sends the first `count` of the batch. What the system does not take is dropped, as it would be on the way. */
  send(count: number): void {
    let at = 0
    while (at < count) {
      const address = at === 0 ? small.address : small.address + BigInt(small.header(at))
      const sent = call.sendmmsg(this.fd, address, count - at, doNotWait | noSignal)
      // An error is that of the first one; the next may have more luck.
      at += sent > 0 ? sent : 1
    }
  }

  sendLarge(bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void {
    if (bytes.length > large.room) return
    write(large, 0, bytes, peer, from)
    call.sendmmsg(this.fd, large.address, 1, doNotWait | noSignal)
  }
}

export const batchSize: number = small.count

function write(to: Messages, index: number, bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void {
  const { words } = to
  const header = to.header(index) >>> 2
  const name = to.name(index) >>> 2
  const peerWords = peer.words
  for (let word = 0; word < peerWords.length; word += 1) words[name + word] = peerWords[word] as number
  words[header + 2] = peer.size
  words[(to.vector(index) >>> 2) + 2] = bytes.length
  to.bytes.set(bytes, to.data(index))
  words[header + 10] = from === undefined ? 0 : writeFrom(to, index, from)
}

/** Returns how much room the control message takes. */
function writeFrom(to: Messages, index: number, from: LocalAddress): number {
  const { words } = to
  const at = to.control(index) >>> 2
  const isV6 = from.length === 4
  words.fill(0, at, at + controlBytes / 4)
  words[at] = isV6 ? 36 : 28
  words[at + 2] = isV6 ? 41 : 0
  words[at + 3] = isV6 ? packetInfo6 : packetInfo
  if (isV6) for (let word = 0; word < 4; word += 1) words[at + 4 + word] = from[word] as number
  else words[at + 5] = from[0] as number
  return isV6 ? 40 : 32
}

const single = allocate(maxDatagramBytes)
const singleBytes = new Uint8Array(single.buffer)

let lastReceived = singleBytes

/** One datagram of a connected socket, none of which is larger than the room. Borrowed until the next. Or a negative errno. */
export function receiveDatagram(fd: number): Uint8Array | number {
  const size = call.read(fd, single.address, maxDatagramBytes)
  if (size < 0) return -(errno[0] as number)
  // Callers come back with the same few sizes.
  if (lastReceived.length !== size) lastReceived = new Uint8Array(single.buffer, 0, size)
  return lastReceived
}

/** Sends to the peer that the socket is connected to: 0 or a negative errno. */
export function sendDatagram(fd: number, bytes: Uint8Array): number {
  const { length, byteOffset } = bytes
  if (length > maxDatagramBytes) return -90
  let address = single.address
  if (bytes.buffer === inbox.buffer) address = inbox.address + BigInt(byteOffset)
  else if (bytes.buffer !== single.buffer) singleBytes.set(bytes)
  else if (byteOffset > 0) address = single.address + BigInt(byteOffset)
  // To write(2), nothing is nothing, not an empty datagram.
  const size = length === 0 ? call.send(fd, address, 0, doNotWait | noSignal) : call.write(fd, address, length)
  return size < 0 ? -(errno[0] as number) : 0
}

/** For checks: what was lent is gone. */
export function poisonDatagrams(bytes: Uint8Array): void {
  bytes.fill(0xdb)
}
