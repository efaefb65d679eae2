/**
 * Socket addresses between text and `struct sockaddr_in`, `sockaddr_in6` and `sockaddr_un`. They are written to and read from one place of
 * the thread, `here`: whoever fills it uses it before anyone else can.
 */
import { namelessUnix, unixPath } from '../../address.ts'
import type { SocketName } from '../engine.ts'
import { call, names } from './calls.ts'
import { allocate } from './memory.ts'
import { ffi } from './node-ffi.ts'

export const inet = 2
export const unix = 1
export const inet6 = 10
/** Room for any address that the kernel knows, `struct sockaddr_storage`. */
export const addressRoom = 128
const unixRoom = 108

const memory = allocate(addressRoom * 2 + 64)
const bytes = Buffer.from(memory.buffer)
const words = new Uint32Array(memory.buffer)
const view = new DataView(memory.buffer)
const text = memory.address + BigInt(addressRoom)
const sizeAt = (addressRoom * 2) / 4

/** What lies there now is at the begin of this. */
export const hereBytes: Uint8Array = bytes
/** Where the kernel finds an address, or leaves one. */
export const here: bigint = memory.address
/** Where the kernel finds how much room there is, and leaves how much it took. */
export const hereSize: bigint = memory.address + BigInt(addressRoom * 2)

let lastHost: string | undefined
let lastPort = -1
let lastSize = 0

/** Before a call that leaves an address in `here`. */
export function expectAddress(): void {
  words[sizeAt] = addressRoom
  lastHost = undefined
}

/** Writes an address to `here`; its size, or 0 when `host` is neither a numeric address nor `unix:` and a path. */
export function writeAddress(host: string, port: number): number {
  // A dial goes where the one before it went, more often than not.
  if (host === lastHost && port === lastPort) return lastSize
  lastHost = undefined
  const path = unixPath(host)
  if (path !== undefined) return writeUnix(path)
  lastSize = host.includes(':') ? writeInet6(host, port) : writeInet(host, port)
  if (lastSize === 0) return 0
  lastHost = host
  lastPort = port
  return lastSize
}

/** A path and the zero after it; the kernel has no room for more than 108 bytes. */
function writeUnix(path: string): number {
  const size = Buffer.byteLength(path)
  if (size === 0 || size >= unixRoom || path.includes('\0')) return 0
  view.setUint16(0, unix, true)
  bytes.write(path, 2, size, 'utf8')
  bytes[2 + size] = 0
  return 3 + size
}

function writeInet(host: string, port: number): number {
  bytes.fill(0, 0, 16)
  if (!writeParts(host)) return 0
  view.setUint16(0, inet, true)
  view.setUint16(2, port)
  return 16
}

/** Four numbers with dots between them, as inet_pton(3) takes them; by itself because a call with text costs more than a connect. */
function writeParts(host: string): boolean {
  let part = -1
  let at = 4
  for (let index = 0; index < host.length; index += 1) {
    const digit = host.charCodeAt(index) - 48
    if (digit === -2) {
      if (part < 0 || at === 7) return false
      bytes[at] = part
      part = -1
      at += 1
    } else if (digit < 0 || digit > 9 || part === 0) return false
    else {
      part = part < 0 ? digit : part * 10 + digit
      if (part > 255) return false
    }
  }
  bytes[at] = part
  return at === 7 && part >= 0
}

function writeInet6(host: string, port: number): number {
  bytes.fill(0, 0, 28)
  const percent = host.indexOf('%')
  const address = percent === -1 ? host : host.slice(0, percent)
  if (host.includes('\0') || names.functions.inet_pton(inet6, address, here + 8n) !== 1) return 0
  view.setUint16(0, inet6, true)
  view.setUint16(2, port)
  if (percent !== -1) {
    const zone = host.slice(percent + 1)
    const index = /^\d+$/.test(zone) ? Number(zone) : names.functions.if_nametoindex(zone)
    if (index === 0) return 0
    view.setUint32(24, index, true)
  }
  return 28
}

/** What is in `here` now. Text is made of it when asked for. */
export function readAddress(): SocketName {
  const family = view.getUint16(0, true)
  if (family === unix) return { host: namelessUnix + readPath(), port: 0 }
  const port = view.getUint16(2)
  if (family === inet) return new Inet(view.getUint32(4), port)
  if (family !== inet6) return nowhere
  return nameOfInet6(view, 8, here + 8n, port)
}

/** Without one the address ends after the family. */
function readPath(): string {
  const end = words[sizeAt] as number
  const zero = bytes.indexOf(0, 2)
  return bytes.toString('utf8', 2, zero === -1 ? end : Math.min(zero, end))
}

/** `address`: where the 16 bytes are that `at` of `from` shows. */
export function nameOfInet6(from: DataView, at: number, address: bigint, port: number): SocketName {
  const isMapped = from.getUint32(at) === 0 && from.getUint32(at + 4) === 0 && from.getUint32(at + 8) === 0xffff
  if (isMapped) return new Inet(from.getUint32(at + 12), port)
  if (call.inet_ntop(inet6, address, text, addressRoom) === 0n) return nowhere
  return { host: ffi.toString(text) ?? '', port }
}

/** An IPv4 address and port, of which many are never read. */
export class Inet implements SocketName {
  readonly word: number
  readonly port: number

  /** `word` is the address, its first part highest. */
  constructor(word: number, port: number) {
    this.word = word
    this.port = port
  }

  get host(): string {
    const { word } = this
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
  }
}

/** No address: the socket is gone, or of a family that links do not have. */
export const nowhere: SocketName = { host: '', port: 0 }
