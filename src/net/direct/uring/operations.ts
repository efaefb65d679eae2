/**
 * The operations of a ring, written entry by entry: what each field of an entry means is known here and nowhere else.
 * Entries carry a kind, a number of 24 bits, and a key; all three come back with each completion.
 */
import type { Ring } from './ring.ts'

/** What an entry is about, for whoever hears of its completion. */
export const tickKind = 0
export const cancelKind = 1
export const receiveKind = 2
export const receiveLargeKind = 3
export const sendKind = 4
export const writableKind = 5
export const closeKind = 6
export const acceptKind = 7
export const connectKind = 8
export const readableKind = 9

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

const cancelAll = 1 << 0

const opPollAdd = 6
const opSendMessage = 9
const opTimeout = 11
const opAccept = 13
const opCancel = 14
const opConnect = 16
const opClose = 19
const opSend = 26
const opReceive = 27

const closeOnExecNonBlocking = 0x80800
/** Never a signal, and never wait: what the socket does not take at once is told, so that memory is free after the turn. */
const sendFlags = 0x4000 | 0x40

/** Accepts once; the result is a descriptor. */
export function pushAccept(ring: Ring, fd: number, low: number, high: number): void {
  ring.push(opAccept, fd, 0, 0, 0, 0, 0, closeOnExecNonBlocking, low, high, 0)
}

/** Receives into buffers of `group` until it completes without `hasMore`. */
export function pushReceiveMany(ring: Ring, fd: number, group: number, low: number, high: number): void {
  ring.push(opReceive | bufferSelect | multishotReceive, fd, 0, 0, 0, 0, 0, 0, low, high, group)
}

/** Receives once, into a buffer of `group`. */
export function pushReceive(ring: Ring, fd: number, group: number, low: number, high: number): void {
  ring.push(opReceive | bufferSelect, fd, 0, 0, 0, 0, 0, 0, low, high, group)
}

/** Done when `enter` returns: the result is what the socket took, or -EAGAIN. */
export function pushSend(
  ring: Ring,
  fd: number,
  addressLow: number,
  addressHigh: number,
  bytes: number,
  low: number,
  high: number,
): void {
  ring.push(opSend, fd, 0, 0, addressLow, addressHigh, bytes, sendFlags, low, high, 0)
}

/** As `pushSend`, of what the `struct msghdr` at the address says. */
export function pushSendMessage(
  ring: Ring,
  fd: number,
  headerLow: number,
  headerHigh: number,
  low: number,
  high: number,
): void {
  ring.push(opSendMessage, fd, 0, 0, headerLow, headerHigh, 1, sendFlags, low, high, 0)
}

/** The address is copied when the entry is submitted. */
export function pushConnect(
  ring: Ring,
  fd: number,
  addressLow: number,
  addressHigh: number,
  addressBytes: number,
  low: number,
  high: number,
): void {
  ring.push(opConnect, fd, addressBytes, 0, addressLow, addressHigh, 0, 0, low, high, 0)
}

/** Completes once, with the events that came. */
export function pushPoll(ring: Ring, fd: number, events: number, low: number, high: number): void {
  ring.push(opPollAdd, fd, 0, 0, 0, 0, 0, events, low, high, 0)
}

export function pushClose(ring: Ring, fd: number, low: number, high: number): void {
  ring.push(opClose, fd, 0, 0, 0, 0, 0, 0, low, high, 0)
}

/** Cancels the operation that carries `targetLow` and `targetHigh`. Completes itself only when it found none. */
export function pushCancel(ring: Ring, targetLow: number, targetHigh: number, low: number, high: number): void {
  ring.push(opCancel | skipSuccess, -1, 0, 0, targetLow, targetHigh, 0, 0, low, high, 0)
}

/** The same for all operations that carry them. */
export function pushCancelAll(ring: Ring, targetLow: number, targetHigh: number, low: number, high: number): void {
  ring.push(opCancel | skipSuccess, -1, 0, 0, targetLow, targetHigh, 0, cancelAll, low, high, 0)
}

/** `time` is the address of a `struct __kernel_timespec`, relative; it is copied when the entry is submitted. */
export function pushTimeout(ring: Ring, timeLow: number, timeHigh: number, low: number, high: number): void {
  ring.push(opTimeout, -1, 0, 0, timeLow, timeHigh, 1, 0, low, high, 0)
}
