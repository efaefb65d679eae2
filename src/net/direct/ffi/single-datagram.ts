/** One datagram at a time, of a connected socket. */
import { call, errno } from './calls.ts'
import { inbox } from './inbox.ts'
import { Region } from './memory.ts'
import { doNotWait, maxDatagramBytes, noSignal } from './messages.ts'

const tooLong = -90
const single = new Region(maxDatagramBytes)
let lastReceived = single.bytes

/** One datagram, none of which is larger than the room that there is. Borrowed until the next. Or a negative errno. */
export function receiveDatagram(fd: number): Uint8Array | number {
  const size = call.read(fd, single.start, maxDatagramBytes)
  if (size < 0) return -(errno[0] as number)
  // Callers come back with the same few sizes.
  if (lastReceived.length !== size) lastReceived = new Uint8Array(single.buffer, 0, size)
  return lastReceived
}

/** Sends to the peer that the socket is connected to: 0 or a negative errno. */
export function sendDatagram(fd: number, bytes: Uint8Array): number {
  const { length, byteOffset } = bytes
  if (length > maxDatagramBytes) return tooLong
  let address = single.start
  if (bytes.buffer === inbox.region.buffer) address = inbox.region.start + BigInt(byteOffset)
  else if (bytes.buffer !== single.buffer) single.bytes.set(bytes)
  else if (byteOffset > 0) address = single.start + BigInt(byteOffset)
  return call.send(fd, address, length, doNotWait | noSignal) < 0 ? -(errno[0] as number) : 0
}
