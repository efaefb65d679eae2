/**
 * Reads the trailer section of a chunked body. It keeps the bytes of the section, which are few and bounded, until it is
 * whole; fields that may not be trailers are dropped, or refused where they would frame a body. [RFC 9110 §6.5.1, RFC 9112 §7.1.2]
 */
import type { HeaderList } from '#sdk'
import { CodecError } from './codec-error.ts'
import { FieldSection } from './field-section.ts'
import { type HeadLimits, HeadScan } from './head-scan.ts'
import { carriageReturn, lineFeed, textOf } from './octets.ts'

/** Fields that steer framing, routing or the handling of a message: too late after its body. */
const forbidden: readonly string[] = [
  'host',
  'content-encoding',
  'content-type',
  'content-range',
  'trailer',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'max-forwards',
  'range',
]

const nothing = new Uint8Array(0)

export class TrailerReader {
  readonly #limits: HeadLimits
  readonly #scan = new HeadScan(0)
  #kept = nothing
  #length = 0
  ended = false
  /** Undefined: none that may be passed on. */
  headers: HeaderList | undefined = undefined

  constructor(limits: HeadLimits) {
    this.#limits = limits
  }

  /** Answers the offset after what it took. */
  read(bytes: Uint8Array, from: number, to: number): number {
    if (this.#length === 0) {
      // Nearly always there is nothing but the empty line.
      if (to - from >= 2 && bytes[from] === carriageReturn && bytes[from + 1] === lineFeed) {
        this.ended = true
        return from + 2
      }
      const end = this.#scan.scan(bytes, from, to, this.#limits)
      if (end !== -1) {
        this.#take(bytes, from, end)
        return end
      }
      this.#keep(bytes, from, to)
      return to
    }
    const before = this.#length
    this.#keep(bytes, from, Math.min(to, from + this.#limits.maxHeadBytes))
    const end = this.#scan.scan(this.#kept, 0, this.#length, this.#limits)
    if (end === -1) return to
    this.#take(this.#kept, 0, end)
    return from + end - before
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const size = this.#length + to - from
    if (size > this.#kept.length) {
      const grown = new Uint8Array(Math.max(256, size * 2))
      grown.set(this.#kept.subarray(0, this.#length))
      this.#kept = grown
    }
    this.#kept.set(bytes.subarray(from, to), this.#length)
    this.#length = size
  }

  #take(bytes: Uint8Array, from: number, end: number): void {
    const section = new FieldSection()
    section.take(bytes, from, textOf(bytes, from, end), this.#scan.fields, true)
    const { headers } = section
    if (section.contentLength !== undefined || section.transferEncoding !== undefined) {
      throw new CodecError(400, 'framing in a trailer section')
    }
    for (const name of forbidden) headers.delete(name)
    this.headers = headers.size === 0 ? undefined : headers
    this.ended = true
    this.#kept = nothing
  }
}
