/**
 * The fields of a scanned head: end-to-end ones go into a list, those of this connection become facts. It decides nothing
 * about framing; it notes what framing needs. [RFC 9110 §7.6.1]
 */
import { HeaderList } from '#sdk'
import { CodecError } from './codec-error.ts'
import {
  connection,
  contentLength,
  expect,
  hop,
  host,
  knownName,
  plain,
  te,
  transferEncoding,
  upgrade,
} from './field-names.ts'
import { marks } from './head-scan.ts'
import { isBlank, space, tab } from './octets.ts'

/** What the fields of one head say about its connection and its body. */
export class FieldSection {
  readonly headers = new HeaderList()
  /** Of its one field; undefined: there is none. */
  host: string | undefined = undefined
  /** Where its value stands in the bytes. */
  hostAt = 0
  contentLength: number | undefined = undefined
  /** Values as sent; several fields joined by a comma. */
  transferEncoding: string | undefined = undefined
  connection: string | undefined = undefined
  upgrade: string | undefined = undefined
  expect: string | undefined = undefined
  te: string | undefined = undefined

  /**
   * Takes the fields of the head that was scanned last. `text` is the head as latin1, which begins at `from` in `bytes`.
   * Throws CodecError at a second Host or Content-Length, and at a Content-Length that is no number.
   */
  take(bytes: Uint8Array, from: number, text: string, fields: number, underscores: boolean): void {
    const { headers } = this
    const places = marks
    for (let index = 0, mark = 0; index < fields; index += 1, mark += 3) {
      const nameAt = places[mark] as number
      const colonAt = places[mark + 1] as number
      let valueAt = colonAt + 1
      const lineEnd = places[mark + 2] as number
      let valueEnd = lineEnd
      while (valueAt < valueEnd && isBlank(bytes[valueAt] as number)) valueAt += 1
      while (valueEnd > valueAt && isBlank(bytes[valueEnd - 1] as number)) valueEnd -= 1
      const value = text.slice(valueAt - from, valueEnd - from)
      // As a writer would write it: it need not be put together again.
      const isPlain = valueAt === colonAt + 2 && valueEnd === lineEnd && bytes[colonAt + 1] === space
      const line = isPlain ? text.slice(nameAt - from, lineEnd + 2 - from) : ''
      const known = knownName(bytes, nameAt, colonAt)
      if (known === undefined) {
        const name = text.slice(nameAt - from, colonAt - from)
        if (underscores || !name.includes('_')) headers.push(name.toLowerCase(), name, value, line)
        continue
      }
      const { lower, written, role } = known
      if (role === host) this.hostAt = valueAt
      // Readers differ about a tab at the value's edge: some see another coding then. [RFC 9112 §11.2]
      else if (role === transferEncoding && hasTab(bytes, colonAt, lineEnd)) {
        throw new CodecError(400, 'a tab beside Transfer-Encoding')
      }
      if (role !== plain && !this.#note(role, value)) continue
      headers.push(lower, written ?? text.slice(nameAt - from, colonAt - from), value, line)
    }
  }

  /** Answers whether the field goes on to the list. */
  #note(role: number, value: string): boolean {
    switch (role) {
      case host:
        if (this.host !== undefined) throw new CodecError(400, 'a second Host')
        this.host = value
        return true
      case contentLength:
        // Even of one value: what stands behind us may take another one of them. [RFC 9110 §8.6]
        if (this.contentLength !== undefined) throw new CodecError(400, 'a second Content-Length')
        this.contentLength = lengthOf(value)
        return true
      case transferEncoding:
        this.transferEncoding = joined(this.transferEncoding, value)
        return false
      case connection:
        this.connection = joined(this.connection, value)
        return false
      case upgrade:
        this.upgrade = joined(this.upgrade, value)
        return false
      case expect:
        this.expect = joined(this.expect, value)
        return false
      case te:
        this.te = joined(this.te, value)
        return false
      case hop:
        return false
      default:
        return true
    }
  }
}

function hasTab(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (bytes[at] === tab) return true
  return false
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`
}

/** Digits only, and a number that arithmetic keeps exact. */
function lengthOf(value: string): number {
  let length = 0
  for (let at = 0; at < value.length; at += 1) {
    const digit = value.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) throw new CodecError(400, 'a Content-Length that is no number')
    length = length * 10 + digit
    if (length > Number.MAX_SAFE_INTEGER) throw new CodecError(400, 'a Content-Length beyond all bounds')
  }
  if (value.length === 0) throw new CodecError(400, 'an empty Content-Length')
  return length
}
