/** Datagrams as they come in batches, with where they are from and what address they were sent to. */
import type { SocketName } from '../engine.ts'
import { call, errno } from './calls.ts'
import type { Region } from './memory.ts'
import {
  controlBytes,
  doNotWait,
  type LocalAddress,
  Messages,
  maxDatagramBytes,
  nameBytes,
  Peer,
  packetInfo,
  packetInfo6,
} from './messages.ts'
import { Inet, inet, inet6, nameOfInet6, nowhere } from './socket-address.ts'

/** MSG_TRUNC: the datagram was larger than the room that there was. */
const truncated = 0x20
const poison = 0xdb

export class Inbox {
  readonly #messages: Messages
  readonly #views: Uint8Array[]
  /** Messages that the kernel has written to. */
  #used: number

  constructor(count: number, room: number) {
    const messages = new Messages(count, room)
    this.#messages = messages
    this.#views = Array.from({ length: count }, (_, index) => {
      const at = messages.data(index)
      return messages.region.bytes.subarray(at, at)
    })
    this.#used = 0
  }

  /** Where the datagrams of the batch lie. */
  get region(): Region {
    return this.#messages.region
  }

  /** Takes what has come, a batch at most: how many, or a negative errno. They stay until the next call, of any socket. */
  receive(fd: number): number {
    const { words, count } = this.#messages
    for (let index = 0; index < this.#used; index += 1) {
      const header = this.#messages.header(index) >>> 2
      words[header + 2] = nameBytes
      words[header + 10] = controlBytes
    }
    const got = call.recvmmsg(fd, this.region.start, count, doNotWait, 0n)
    this.#used = got < 0 ? 0 : Math.min(got, count)
    return got < 0 ? -(errno[0] as number) : this.#used
  }

  /** The bytes of a datagram of the batch, or undefined when it did not fit. Borrowed until the next batch. */
  datagram(index: number): Uint8Array | undefined {
    const messages = this.#messages
    const header = messages.header(index) >>> 2
    const size = messages.words[header + 14] as number
    if (((messages.words[header + 12] as number) & truncated) !== 0 || size > messages.room) return undefined
    const view = this.#views[index] as Uint8Array
    // Callers come back with the same few sizes.
    if (view.length === size) return view
    const fresh = new Uint8Array(this.region.buffer, messages.data(index), size)
    this.#views[index] = fresh
    return fresh
  }

  /** What tells one client from another: a number for IPv4, text for IPv6. */
  clientKey(index: number): number | string {
    const { words } = this.#messages
    const name = this.#messages.name(index) >>> 2
    const first = words[name] as number
    if ((first & 0xffff) === inet) return (first >>> 16) * 0x1_0000_0000 + (words[name + 1] as number)
    return `${first} ${words[name + 2]} ${words[name + 3]} ${words[name + 4]} ${words[name + 5]} ${words[name + 6]}`
  }

  peer(index: number): Peer {
    const { words } = this.#messages
    const name = this.#messages.name(index) >>> 2
    const size = ((words[name] as number) & 0xffff) === inet ? 16 : 28
    return new Peer(size, Array.from(words.subarray(name, name + size / 4)))
  }

  peerName(index: number): SocketName {
    const { view, region } = this.#messages
    const name = this.#messages.name(index)
    const family = view.getUint16(name, true)
    const port = view.getUint16(name + 2)
    if (family === inet) return new Inet(view.getUint32(name + 4), port)
    if (family !== inet6) return nowhere
    return nameOfInet6(view, name + 8, region.start + BigInt(name + 8), port)
  }

  /** Where the datagram was sent to, for sockets that asked with `setPacketInfo`. */
  local(index: number): LocalAddress | undefined {
    const { words, view } = this.#messages
    const at = this.#messages.control(index)
    const length = words[(this.#messages.header(index) >>> 2) + 10] as number
    if (length < 28) return undefined
    const type = view.getInt32(at + 12, true)
    const word = at >>> 2
    if (type === packetInfo) return [words[word + 5] as number]
    if (type !== packetInfo6 || length < 36) return undefined
    return [4, 5, 6, 7].map((offset) => words[word + offset] as number)
  }

  /** As text: read back through the place that the kernel left it in. */
  localName(index: number, port: number): SocketName {
    const { view, region } = this.#messages
    const at = this.#messages.control(index)
    const local = this.local(index)
    if (local === undefined) return { host: '', port }
    if (local.length === 1) return new Inet(view.getUint32(at + 20), port)
    return nameOfInet6(view, at + 16, region.start + BigInt(at + 16), port)
  }

  /** For checks: what was lent is gone. */
  poison(): void {
    for (let index = 0; index < this.#used; index += 1) this.datagram(index)?.fill(poison)
  }
}

/** The thread's. */
export const inbox: Inbox = new Inbox(64, maxDatagramBytes)
