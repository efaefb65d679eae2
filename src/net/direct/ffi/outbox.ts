/** Datagrams that leave by one socket together, each to a peer of its own, from the address that the peer knows. */
import { call } from './calls.ts'
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

/** The thread's. */
const small = new Messages(64, 2048)
const large = new Messages(1, maxDatagramBytes)

export const batchSize: number = small.count

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
      const address = at === 0 ? small.region.start : small.region.start + BigInt(small.header(at))
      const sent = call.sendmmsg(this.fd, address, count - at, doNotWait | noSignal)
      // An error is that of the first one; the next may have more luck.
      at += sent > 0 ? sent : 1
    }
  }

  sendLarge(bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void {
    if (bytes.length > large.room) return
    write(large, 0, bytes, peer, from)
    call.sendmmsg(this.fd, large.region.start, 1, doNotWait | noSignal)
  }
}

function write(to: Messages, index: number, bytes: Uint8Array, peer: Peer, from: LocalAddress | undefined): void {
  const { words } = to
  const header = to.header(index) >>> 2
  const name = to.name(index) >>> 2
  const peerWords = peer.words
  for (let word = 0; word < peerWords.length; word += 1) words[name + word] = peerWords[word] as number
  words[header + 2] = peer.size
  words[(to.vector(index) >>> 2) + 2] = bytes.length
  to.region.bytes.set(bytes, to.data(index))
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
