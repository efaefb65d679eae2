/**
 * Reads a TLS ClientHello out of the first bytes of a stream: which name, protocols and versions the client asks for.
 * Pure: the caller collects the bytes. It decides nothing about them, and it is no TLS implementation.
 */
import { alerts } from './alert.ts'

export interface ClientHello {
  /** The name that the client asks for: lower case, without a trailing dot; undefined when it names none. */
  readonly serverName: string | undefined
  /** ALPN tokens in the client's order, as latin1 text; empty without the extension. */
  readonly alpn: readonly string[]
  /** The versions it offers, in its order: 0x0304 is TLS 1.3, 0x0303 TLS 1.2. GREASE values are left out. */
  readonly versions: readonly number[]
}

export type HelloReading =
  /** So far it looks like a ClientHello, which goes on. Nothing will be known before there are `atLeast` bytes in all. */
  | { readonly state: 'more'; readonly atLeast: number }
  /** The first bytes are not those of a TLS record with a handshake. */
  | { readonly state: 'not-tls' }
  /** TLS by its first bytes, but no ClientHello that can be served. `alert` is the description to refuse it with. */
  | { readonly state: 'bad'; readonly reason: string; readonly alert: number }
  | { readonly state: 'hello'; readonly hello: ClientHello }

/** A ClientHello may not be longer, headers of its records included. */
export const maxHelloBytes = 65_536

const notTls: HelloReading = { state: 'not-tls' }
const more = (atLeast: number): HelloReading => ({ state: 'more', atLeast })
const bad = (reason: string, alert: number = alerts.decodeError): HelloReading => ({ state: 'bad', reason, alert })

/**
 * What the first bytes of a stream are. Called with a longer head as more bytes arrive; the answer never changes back.
 * Looks at no more than `maxHelloBytes`. Never throws; what it returns borrows nothing from `bytes`.
 * RFC 8446 4.1.2 and 5.1: the message may be cut into several records, and a record into several segments.
 */
export function readClientHello(bytes: Uint8Array): HelloReading {
  if (bytes.length > 0 && bytes[0] !== 0x16) return notTls
  if (bytes.length > 1 && bytes[1] !== 3) return notTls
  const message = new Message()
  let at = 0
  while (at + 5 <= bytes.length) {
    if (bytes[at] !== 0x16) return bad('a record of another type inside the ClientHello', alerts.unexpectedMessage)
    if (bytes[at + 1] !== 3) return bad('the version of a record changes inside the ClientHello')
    const length = ((bytes[at + 3] as number) << 8) | (bytes[at + 4] as number)
    // RFC 8446 5.1: a handshake record is never empty, and holds 2^14 bytes at most.
    if (length === 0 || length > 16_384) return at === 0 ? notTls : bad(`a record of ${length} bytes`)
    message.add(bytes.subarray(at + 5, Math.min(at + 5 + length, bytes.length)))
    // 0x01 is client_hello. Anything else at the start of a connection is a stray message, or not TLS at all.
    if (message.length > 0 && message.first !== 1) return notTls
    if (message.size > maxHelloBytes) return bad('the ClientHello is too long')
    if (message.length >= message.size) return readBody(new Reader(message.body()))
    at += 5 + length
    if (at >= maxHelloBytes) return bad('the ClientHello is too long')
  }
  if (bytes.length >= maxHelloBytes) return bad('the ClientHello is too long')
  const headerBytes = at <= bytes.length ? at + 5 - bytes.length : 0
  return more(bytes.length + headerBytes + message.size - message.length)
}

/** The handshake message, taken out of its records: one byte of type, three of length, the body. */
class Message {
  readonly #parts: Uint8Array[]
  /** Bytes there are. */
  length: number
  /** Bytes there should be; what is sure until the header is complete. */
  size: number

  constructor() {
    this.#parts = []
    this.length = 0
    this.size = 4
  }

  get first(): number {
    return this.#parts[0]?.[0] ?? 0
  }

  add(part: Uint8Array): void {
    if (part.length === 0) return
    this.#parts.push(part)
    const before = this.length
    this.length += part.length
    if (before >= 4 || this.length < 4) return
    const header = new Reader(this.#joined(4))
    header.skip(1)
    this.size = 4 + header.u24()
  }

  body(): Uint8Array {
    return this.#joined(this.size).subarray(4)
  }

  #joined(length: number): Uint8Array {
    const only = this.#parts[0]
    return this.#parts.length === 1 && only !== undefined
      ? only.subarray(0, length)
      : Buffer.concat(this.#parts, length)
  }
}

function readBody(body: Reader): HelloReading {
  const legacyVersion = body.u16()
  if (legacyVersion >> 8 !== 3) return bad('an unknown version of TLS', alerts.protocolVersion)
  body.skip(32)
  body.skip(body.u8())
  const ciphers = body.u16()
  if (ciphers < 2 || ciphers % 2 !== 0) return bad('the list of cipher suites is malformed')
  body.skip(ciphers)
  body.skip(body.u8())
  if (body.short) return bad('the ClientHello is shorter than its parts')
  const found: Found = { serverName: undefined, alpn: [], versions: [legacyVersion] }
  // Extensions may be absent altogether before TLS 1.3.
  if (body.left > 0) {
    const extensions = body.part(body.u16())
    if (body.short || body.left > 0) return bad('the extensions do not fill the ClientHello')
    const seen = new Set<number>()
    while (extensions.left > 0) {
      const type = extensions.u16()
      const value = extensions.part(extensions.u16())
      if (extensions.short) return bad('an extension is longer than the list of them')
      // RFC 8446 4.2: two of one type could be read differently here and behind.
      if (seen.has(type)) return bad(`extension ${type} is given twice`, alerts.illegalParameter)
      seen.add(type)
      const failure = readExtension(type, value, found)
      if (failure !== undefined) return failure
    }
  }
  return { state: 'hello', hello: found }
}

interface Found {
  serverName: string | undefined
  alpn: string[]
  versions: number[]
}

function readExtension(type: number, value: Reader, found: Found): HelloReading | undefined {
  if (type === 0) return readServerName(value, found)
  if (type === 16) return readAlpn(value, found)
  if (type === 43) return readVersions(value, found)
  return undefined
}

/** RFC 6066 3: a list of names, of which only one of type host_name is defined. */
function readServerName(value: Reader, found: Found): HelloReading | undefined {
  const list = value.part(value.u16())
  if (value.short || value.left > 0 || list.left === 0) return bad('the server name is malformed')
  while (list.left > 0) {
    const type = list.u8()
    const name = list.part(list.u16())
    if (list.short) return bad('the server name is malformed')
    if (type !== 0) continue
    if (found.serverName !== undefined) return bad('two server names', alerts.illegalParameter)
    const host = hostName(name.text())
    if (host === undefined) return bad('the server name is not a host name', alerts.unrecognizedName)
    found.serverName = host
  }
  return undefined
}

/** The name as certificates and routes are looked up by; undefined for what no DNS name can be. */
function hostName(text: string): string | undefined {
  const name = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase()
  if (name.length === 0 || name.length > 253) return undefined
  // Underscores are no host name, yet resolvers and certificates carry them.
  return /^(?!.*\.\.)[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_-])?$/.test(name) && !/[^.]{64}/.test(name) ? name : undefined
}

/** RFC 7301 3.1: a list of tokens, none of them empty. */
function readAlpn(value: Reader, found: Found): HelloReading | undefined {
  const list = value.part(value.u16())
  if (value.short || value.left > 0 || list.left === 0) return bad('the list of protocols is malformed')
  while (list.left > 0) {
    const token = list.part(list.u8())
    if (list.short || token.left === 0) return bad('the list of protocols is malformed')
    found.alpn.push(token.text())
  }
  return undefined
}

/** RFC 8446 4.2.1: where it is present, it alone says which versions are offered. */
function readVersions(value: Reader, found: Found): HelloReading | undefined {
  const list = value.part(value.u8())
  if (value.short || value.left > 0 || list.left === 0 || list.left % 2 !== 0) {
    return bad('the list of versions is malformed')
  }
  found.versions = []
  while (list.left > 0) {
    const version = list.u16()
    // RFC 8701: 0x?a?a with equal bytes is GREASE.
    if ((version & 0x0f0f) !== 0x0a0a) found.versions.push(version)
  }
  return undefined
}

/** Reads forward within given bytes. Past the end everything is zero or empty, and `short` is set. */
class Reader {
  readonly #bytes: Uint8Array
  #at: number
  short: boolean

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#at = 0
    this.short = false
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    const value = this.#bytes[this.#at]
    if (value === undefined) {
      this.short = true
      return 0
    }
    this.#at += 1
    return value
  }

  u16(): number {
    return (this.u8() << 8) | this.u8()
  }

  u24(): number {
    return (this.u16() << 8) | this.u8()
  }

  skip(length: number): void {
    this.part(length)
  }

  part(length: number): Reader {
    if (length > this.left) this.short = true
    const start = this.#at
    this.#at = Math.min(this.#at + length, this.#bytes.length)
    return new Reader(this.#bytes.subarray(start, this.#at))
  }

  text(): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength).toString('latin1')
  }
}
