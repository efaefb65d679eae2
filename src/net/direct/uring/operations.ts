/**
 * The operations of a ring, written entry by entry: what each field of an entry means is known here and nowhere else.
 * Entries carry a kind, a number of 24 bits, and a key; all three come back with each completion.
 */
import { opcodes } from './opcodes.ts'
import type { Ring } from './ring.ts'

/** What an entry is about, for whoever hears of its completion. */
export const loopKind = 0
export const cancelKind = 1
export const receiveKind = 2
export const receiveLargeKind = 3
export const sendKind = 4
export const writableKind = 5
export const closeKind = 6
export const acceptKind = 7
export const connectKind = 8
export const readableKind = 9
export const alarmKind = 10
export const receiveDatagramKind = 11
export const sendDatagramKind = 12

/** Bits of a completion's flags. */
export const hasBuffer = 1
export const hasMore = 2

/** The buffer that a receive has filled. */
export const bufferOf = (flags: number): number => flags >>> 16

/** The first word of what an entry carries. */
export const tag = (kind: number, number: number): number => kind | (number << 8)
export const kindOf = (low: number): number => low & 0xff
export const numberOf = (low: number): number => low >>> 8

const bufferSelect = (1 << 5) << 8
const skipSuccess = (1 << 6) << 8
const multishotReceive = 2 << 16

const closeOnExecNonBlocking = 0x80800
/**
 * Never a signal. Never wait: what the socket does not take at once is told, so that memory is free after the turn. And all
 * or a failure: what was sent whole then needs no completion.
 */
const sendFlags = 0x4000 | 0x40 | 0x100

/** Accepts one connection: the result is a descriptor. */
export function pushAccept(ring: Ring, fd: number, low: number, high: number): void {
  ring.push(opcodes.ACCEPT, fd, 0, 0, 0, 0, closeOnExecNonBlocking, low, high, 0)
}

/** Receives into buffers of `group` until it completes without `hasMore`. */
export function pushReceiveMany(ring: Ring, fd: number, group: number, low: number, high: number): void {
  ring.push(opcodes.RECV | bufferSelect | multishotReceive, fd, 0, 0, 0, 0, 0, low, high, group)
}

/** Receives once, into a buffer of `group`. */
export function pushReceive(ring: Ring, fd: number, group: number, low: number, high: number): void {
  ring.push(opcodes.RECV | bufferSelect, fd, 0, 0, 0, 0, 0, low, high, group)
}

/**
 * Sends what lies at a place of the ring's arena. Done when `enter` returns: it completes only when the socket did not take
 * all, and tells how much it took, or what failed (-EAGAIN: it took nothing).
 */
export function pushSend(ring: Ring, fd: number, place: number, bytes: number, low: number, high: number): void {
  const { arena } = ring
  ring.push(opcodes.SEND | skipSuccess, fd, 0, (arena.low + place) | 0, arena.high, bytes, sendFlags, low, high, 0)
}

/** As `pushSend`, of what the `struct msghdr` at the place says. */
export function pushSendMessage(ring: Ring, fd: number, header: number, low: number, high: number): void {
  const { arena } = ring
  ring.push(opcodes.SENDMSG | skipSuccess, fd, 0, (arena.low + header) | 0, arena.high, 1, sendFlags, low, high, 0)
}

/** The address lies at a place of the ring's arena; it is copied when the entry is submitted. */
export function pushConnect(
  ring: Ring,
  fd: number,
  place: number,
  addressBytes: number,
  low: number,
  high: number,
): void {
  const { arena } = ring
  ring.push(opcodes.CONNECT, fd, addressBytes, (arena.low + place) | 0, arena.high, 0, 0, low, high, 0)
}

/** Completes once, with the events that came. */
export function pushPoll(ring: Ring, fd: number, events: number, low: number, high: number): void {
  ring.push(opcodes.POLL_ADD, fd, 0, 0, 0, 0, events, low, high, 0)
}

/** Completes whenever there may be such events, until it completes without `hasMore`. */
export function pushPollMany(ring: Ring, fd: number, events: number, low: number, high: number): void {
  const multishot = 1
  ring.push(opcodes.POLL_ADD, fd, 0, 0, 0, multishot, events, low, high, 0)
}

export function pushClose(ring: Ring, fd: number, low: number, high: number): void {
  ring.push(opcodes.CLOSE, fd, 0, 0, 0, 0, 0, low, high, 0)
}

/** Cancels the operation that carries `targetLow` and `targetHigh`. Completes itself only when it found none. */
export function pushCancel(ring: Ring, targetLow: number, targetHigh: number, low: number, high: number): void {
  ring.push(opcodes.ASYNC_CANCEL | skipSuccess, -1, 0, targetLow, targetHigh, 0, 0, low, high, 0)
}

/** The same for all operations that carry those words. */
export function pushCancelAll(ring: Ring, targetLow: number, targetHigh: number, low: number, high: number): void {
  const all = 1
  ring.push(opcodes.ASYNC_CANCEL | skipSuccess, -1, 0, targetLow, targetHigh, 0, all, low, high, 0)
}

/** At the place is a `struct __kernel_timespec`, relative; it is copied when the entry is submitted. */
export function pushTimeout(ring: Ring, place: number, low: number, high: number): void {
  const { arena } = ring
  ring.push(opcodes.TIMEOUT, -1, 0, (arena.low + place) | 0, arena.high, 1, 0, low, high, 0)
}
