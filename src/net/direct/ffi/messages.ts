/**
 * `struct mmsghdr[]` and what hangs on it, laid out once: every pointer in it is ours and stays. It sends and receives
 * nothing itself; see `inbox.ts` and `outbox.ts`.
 */
import { Region } from './memory.ts'

/** Larger than any datagram of UDP without jumbograms. */
export const maxDatagramBytes = 65_536
/** Room for the address of a peer, and for control messages. */
export const nameBytes = 32
export const controlBytes = 64
/** Of `IP_PKTINFO` and `IPV6_PKTINFO`: types of control messages. */
export const packetInfo = 8
export const packetInfo6 = 50
/** Flags of calls. */
export const doNotWait = 0x40
export const noSignal = 0x4000

const headerBytes = 64
const vectorBytes = 16
const perMessage = headerBytes + vectorBytes + nameBytes + controlBytes

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

/** So many messages with so much room each. Data comes last: pages that no datagram reaches take no memory. */
export class Messages {
  readonly count: number
  readonly room: number
  readonly region: Region
  readonly view: DataView
  readonly words: Uint32Array
  readonly #stride: number
  readonly #dataAt: number

  constructor(count: number, room: number) {
    // Not a power of two apart: the first lines of all slots would fall into the same few places of the cache.
    const stride = room + 512
    this.count = count
    this.room = room
    this.region = new Region(count * (perMessage + stride) + 64)
    this.view = new DataView(this.region.buffer)
    this.words = new Uint32Array(this.region.buffer)
    this.#stride = stride
    this.#dataAt = Math.ceil((count * perMessage) / 64) * 64
    this.region.bytes.fill(0, 0, this.#dataAt)
    for (let index = 0; index < count; index += 1) this.#layOut(index)
  }

  /** Places in bytes, as the next three; of a `struct mmsghdr`. */
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
    return this.#dataAt + index * this.#stride
  }

  #layOut(index: number): void {
    const header = this.header(index)
    const at = (offset: number): bigint => this.region.start + BigInt(offset)
    this.view.setBigUint64(header, at(this.name(index)), true)
    this.view.setUint32(header + 8, nameBytes, true)
    this.view.setBigUint64(header + 16, at(this.vector(index)), true)
    this.view.setBigUint64(header + 24, 1n, true)
    this.view.setBigUint64(header + 32, at(this.control(index)), true)
    this.view.setUint32(header + 40, controlBytes, true)
    this.view.setBigUint64(this.vector(index), at(this.data(index)), true)
    this.view.setBigUint64(this.vector(index) + 8, BigInt(this.room), true)
  }
}
