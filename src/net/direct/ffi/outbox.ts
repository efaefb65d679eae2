/**
 * Datagrams that leave by one socket together, each to a peer of its own, from the address that the peer knows.
 *
 * Those that follow each other to one peer make one message, which the kernel or the network card takes apart again
 * (UDP_SEGMENT). Of a flow of 1200 bytes each, 48 so cost 1.8 us of CPU apiece instead of 4.8, 16 of them 3.9 instead of 6.8,
 * and 2 as much as they do one by one. The same for receiving, UDP_GRO, is left alone: where the sender has not done it too
 * it changes nothing (2.1 us against 2.3).
 */
import { call, errno, errnos } from './calls.ts'
import {
  controlBytes,
  doNotWait,
  type LocalAddress,
  Messages,
  maxDatagramBytes,
  noSignal,
  type Peer,
  packetInfo,
  packetInfo6,
} from './messages.ts'

/** A socket that replies leave by. */
export interface ReplySocket {
  readonly fd: number
  /** Cleared when the kernel has refused to take a message apart: it is an old one, or packets are smaller on the way. */
  mayJoin: boolean
}

const levelUdp = 17
const segmentType = 103
/** What the control message for it takes. */
const segmentBytes = 24
/** In one message: a datagram with its headers holds no more. */
const maxJoinedBytes = 65_000

class Outbox {
  readonly #small: Messages
  readonly #large: Messages
  /** By message: its first datagram, and how many it has. */
  readonly #first: Int32Array
  readonly #joined: Int32Array
  #socket: ReplySocket | undefined
  #datagrams: number
  #messages: number
  /** Of the last message: to whom and from where, the size of its datagrams (0: no more may follow), and their sum. */
  #peer: Peer | undefined
  #from: LocalAddress | undefined
  #size: number
  #sum: number

  constructor() {
    this.#small = new Messages(64, 2048)
    this.#large = new Messages(1, maxDatagramBytes)
    this.#first = new Int32Array(64)
    this.#joined = new Int32Array(64)
    this.#socket = undefined
    this.#datagrams = 0
    this.#messages = 0
    this.#peer = undefined
    this.#from = undefined
    this.#size = 0
    this.#sum = 0
  }

  /** Takes a copy. True: it is the first of those that wait for `flush`. */
  add(socket: ReplySocket, bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): boolean {
    if (bytes.length > this.#small.room) {
      this.flush()
      this.#sendLarge(socket, bytes, peer, from)
      return false
    }
    if (socket !== this.#socket || this.#datagrams === this.#small.count) this.flush()
    this.#socket = socket
    const index = this.#datagrams
    this.#datagrams = index + 1
    put(this.#small, index, bytes)
    if (!this.#joins(socket, bytes.length, peer, from)) this.#begin(index, bytes.length, peer, from)
    return index === 0
  }

  /** What the system does not take is dropped, as it would be on the way. */
  flush(): void {
    const count = this.#messages
    this.#datagrams = 0
    this.#messages = 0
    this.#peer = undefined
    if (count === 0) return
    const socket = this.#socket as ReplySocket
    let at = 0
    while (at < count) {
      const sent = send(socket, this.#small, at, count - at)
      // An error is that of the first one; the next may have more luck.
      if (sent <= 0 && (this.#joined[at] as number) > 1) this.#sendApart(socket, at)
      at += Math.max(1, sent)
    }
  }

  /** Whether the datagram just put has become a part of the last message. */
  #joins(socket: ReplySocket, size: number, peer: Peer, from: LocalAddress | undefined): boolean {
    if (peer !== this.#peer || from !== this.#from || !socket.mayJoin) return false
    if (size > this.#size || size === 0 || this.#sum + size > maxJoinedBytes) return false
    const message = this.#messages - 1
    const joined = (this.#joined[message] as number) + 1
    this.#joined[message] = joined
    this.#small.words[(this.#small.header(message) >>> 2) + 6] = joined
    if (joined === 2) writeSegment(this.#small, message, this.#size)
    this.#sum += size
    if (size < this.#size) this.#size = 0
    return true
  }

  #begin(index: number, size: number, peer: Peer, from: LocalAddress | undefined): void {
    const message = this.#messages
    this.#messages = message + 1
    this.#first[message] = index
    this.#joined[message] = 1
    this.#peer = peer
    this.#from = from
    this.#size = size
    this.#sum = size
    point(this.#small, message, index)
    address(this.#small, message, peer, from)
  }

  /** The datagrams of a message that was refused, one by one. */
  #sendApart(socket: ReplySocket, message: number): void {
    const { words } = this.#small
    if (errno[0] === errnos.EAGAIN || errno[0] === errnos.ENOBUFS) return
    socket.mayJoin = false
    const control = (this.#small.header(message) >>> 2) + 10
    words[control] = (words[control] as number) - segmentBytes
    for (let part = 0; part < (this.#joined[message] as number); part += 1) {
      point(this.#small, message, (this.#first[message] as number) + part)
      send(socket, this.#small, message, 1)
    }
  }

  #sendLarge(socket: ReplySocket, bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void {
    if (bytes.length > this.#large.room) return
    put(this.#large, 0, bytes)
    address(this.#large, 0, peer, from)
    send(socket, this.#large, 0, 1)
  }
}

/** The thread's. */
export const outbox: Outbox = new Outbox()

function send({ fd }: ReplySocket, messages: Messages, at: number, count: number): number {
  const address = messages.region.start + BigInt(messages.header(at))
  return call.sendmmsg(fd, address, count, doNotWait | noSignal)
}

function put(to: Messages, index: number, bytes: Uint8Array): void {
  to.words[(to.vector(index) >>> 2) + 2] = bytes.length
  to.region.bytes.set(bytes, to.data(index))
}

/** One datagram, at `index`, is what the message holds. */
function point(to: Messages, message: number, index: number): void {
  const header = to.header(message) >>> 2
  const place = to.region.address + to.vector(index)
  to.words[header + 4] = place
  to.words[header + 5] = place / 0x1_0000_0000
  to.words[header + 6] = 1
}

function address(to: Messages, message: number, peer: Peer, from: LocalAddress | undefined): void {
  const { words } = to
  const header = to.header(message) >>> 2
  const name = to.name(message) >>> 2
  const peerWords = peer.words
  for (let word = 0; word < peerWords.length; word += 1) words[name + word] = peerWords[word] as number
  words[header + 2] = peer.size
  words[header + 10] = from === undefined ? 0 : writeFrom(to, message, from)
}

/** Returns how much room the control message takes. */
function writeFrom(to: Messages, message: number, from: LocalAddress): number {
  const { words } = to
  const at = to.control(message) >>> 2
  const isV6 = from.length === 4
  words.fill(0, at, at + controlBytes / 4)
  words[at] = isV6 ? 36 : 28
  words[at + 2] = isV6 ? 41 : 0
  words[at + 3] = isV6 ? packetInfo6 : packetInfo
  if (isV6) for (let word = 0; word < 4; word += 1) words[at + 4 + word] = from[word] as number
  else words[at + 5] = from[0] as number
  return isV6 ? 40 : 32
}

/** A control message more: the size of the parts. */
function writeSegment(to: Messages, message: number, size: number): void {
  const { words } = to
  const header = to.header(message) >>> 2
  const used = words[header + 10] as number
  const at = (to.control(message) + used) >>> 2
  words[at] = 18
  words[at + 1] = 0
  words[at + 2] = levelUdp
  words[at + 3] = segmentType
  words[at + 4] = size
  words[at + 5] = 0
  words[header + 10] = used + segmentBytes
}
