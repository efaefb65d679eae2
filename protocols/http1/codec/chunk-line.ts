/** Reads the line before a chunk: its size, and extensions, which are checked and dropped. [RFC 9112 §7.1.1] */
import { CodecError } from './codec-error.ts'
import { carriageReturn, classes, isToken, isValue, lineFeed } from './octets.ts'

/** The greatest that arithmetic keeps exact has 14 digits; zeros in front count as digits. */
const maxDigits = 14

const badExtension = 'a chunk extension that is none'

const firstDigit = 0
const moreDigits = 1
const extensionStart = 2
const extensionName = 3
const extensionValue = 4
const token = 5
const quoted = 6
const escaped = 7
const afterQuoted = 8
const beforeLineFeed = 9
const over = 10

export class ChunkLine {
  readonly #maxExtensionBytes: number
  #phase = firstDigit
  #digits = 0
  #extensionBytes = 0
  /** Of the chunk; 0: the last one. */
  size = 0

  /** `maxExtensionBytes`: of all extensions of one body; nobody uses any, so that more is an attack. */
  constructor(maxExtensionBytes: number) {
    this.#maxExtensionBytes = maxExtensionBytes
  }

  get ended(): boolean {
    return this.#phase === over
  }

  /** Ready for the line of the next chunk of the body. */
  reset(): void {
    this.#phase = firstDigit
    this.#digits = 0
    this.size = 0
  }

  /** Answers the offset after what it took: of the line's end, or `to`. */
  read(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    while (at < to && this.#phase !== over) {
      const byte = bytes[at] as number
      at += 1
      if (this.#phase <= moreDigits) this.#sizeByte(byte)
      else this.#extensionByte(byte)
    }
    return at
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== -1) {
      this.#digits += 1
      this.size = this.size * 16 + digit
      if (this.#digits > maxDigits || this.size > Number.MAX_SAFE_INTEGER) {
        throw new CodecError(400, 'a chunk size beyond all bounds')
      }
      this.#phase = moreDigits
    } else if (this.#phase === firstDigit) throw new CodecError(400, 'a chunk without a size')
    else this.#delimiter(byte)
  }

  /** What may follow a size, a name or a value. Blanks nowhere: who skips them differs from who does not. */
  #delimiter(byte: number): void {
    if (byte === carriageReturn) this.#phase = beforeLineFeed
    else if (byte === 0x3b) this.#phase = extensionStart
    else if (byte === lineFeed) throw new CodecError(400, 'a bare LF after a chunk size')
    else throw new CodecError(400, this.#phase === moreDigits ? 'a chunk size that is no number' : badExtension)
  }

  #extensionByte(byte: number): void {
    this.#extensionBytes += 1
    if (this.#extensionBytes > this.#maxExtensionBytes) throw new CodecError(400, 'chunk extensions that are too long')
    const bits = classes[byte] as number
    switch (this.#phase) {
      case extensionStart:
        if ((bits & isToken) === 0) break
        this.#phase = extensionName
        return
      case extensionName:
        if ((bits & isToken) !== 0) return
        if (byte === 0x3d) this.#phase = extensionValue
        else this.#delimiter(byte)
        return
      case extensionValue:
        if (byte === 0x22) this.#phase = quoted
        else if ((bits & isToken) !== 0) this.#phase = token
        else break
        return
      case token:
        if ((bits & isToken) === 0) this.#delimiter(byte)
        return
      case quoted:
        if (byte === 0x22) this.#phase = afterQuoted
        else if (byte === 0x5c) this.#phase = escaped
        else if ((bits & isValue) === 0) break
        return
      case escaped:
        if ((bits & isValue) === 0) break
        this.#phase = quoted
        return
      case afterQuoted:
        this.#delimiter(byte)
        return
      default:
        if (byte !== lineFeed) throw new CodecError(400, 'a bare CR after a chunk size')
        this.#phase = over
        return
    }
    throw new CodecError(400, badExtension)
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
