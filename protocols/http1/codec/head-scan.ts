/**
 * Looks through the bytes of a head (or a trailer section) once, as they come: finds its lines, refuses every byte that
 * has no place there, holds the limits. It gives no meaning to any line. [RFC 9112 §2.2, §5]
 */
import { CodecError } from './codec-error.ts'
import { carriageReturn, classes, colon, isRequestLine, isToken, isValue, lineFeed } from './octets.ts'

/** What a head may be at most. */
export interface HeadLimits {
  /** The first line, and each field line, without its end. */
  readonly maxLineBytes: number
  /** All of it, with the empty line at its end. */
  readonly maxHeadBytes: number
  readonly maxHeaders: number
}

/** Where the scan stands when bytes run out; in the order in which a head goes through them. */
const beforeLine = 0
const inFirstLine = 1
const afterFirstLine = 2
const lineStart = 3
const inName = 4
const inValue = 5
const afterValue = 6
const beforeEnd = 7

/**
 * Where the fields of the head that was scanned last stand, as offsets into its bytes, three of each: where its name
 * begins, its colon, and where its line ends. One for all scans of the thread: it is
 * read before anything else is scanned.
 */
export let marks: Int32Array = new Int32Array(3 * 128)

function grownMarks(): Int32Array {
  const grown = new Int32Array(marks.length * 2)
  grown.set(marks)
  marks = grown
  return grown
}

export class HeadScan {
  /** Offsets from the first byte of the head: how far it was searched, and where the line there began. */
  #searched = 0
  #lineAt = 0
  #phase: number
  /** Fields that the lines so far hold. */
  fields = 0
  /** Where the first line begins (an empty line may stand before it) and ends; offsets from the first byte of the head. */
  firstAt = 0
  firstEnd = 0
  readonly #firstClass: number

  /** `firstClass`: what the first line may hold; 0: there is none, as in a trailer section. */
  constructor(firstClass: number) {
    this.#firstClass = firstClass
    this.#phase = startOf(firstClass)
  }

  /** Bytes were seen and no end yet. */
  get midway(): boolean {
    return this.#searched > 0
  }

  /** The first line was seen whole. */
  get pastFirstLine(): boolean {
    return this.#phase > afterFirstLine
  }

  /**
   * The head begins at `from`; those of its bytes that an earlier call saw are not looked at again before it is whole.
   * Answers the offset after it, with `marks` set; or -1: there is more to come, and the same bytes are handed in again
   * with what follows them, wherever they lie by then.
   */
  scan(bytes: Uint8Array, from: number, to: number, limits: HeadLimits): number {
    const resumed = this.#searched > 0
    const end = this.#pass(bytes, from, to, limits)
    if (end === -1) return -1
    this.reset()
    if (!resumed) return end
    // The marks of the earlier passes are another head's by now.
    this.fields = 0
    this.#pass(bytes, from, end, limits)
    this.reset()
    return end
  }

  reset(): void {
    this.#searched = 0
    this.#lineAt = 0
    this.#phase = startOf(this.#firstClass)
  }

  #pass(bytes: Uint8Array, from: number, to: number, limits: HeadLimits): number {
    const stop = to - from > limits.maxHeadBytes ? from + limits.maxHeadBytes : to
    let at = from + this.#searched
    let lineAt = from + this.#lineAt
    let phase = this.#phase
    if (this.#searched === 0) {
      this.fields = 0
      this.firstAt = 0
    }
    let places = marks
    let mark = 3 * this.fields
    if (phase <= afterFirstLine) {
      if (phase === beforeLine && at < stop) {
        // One empty line before a request is let pass. [RFC 9112 §2.2]
        if (at === from && bytes[at] === carriageReturn) at += 1
        if (at < stop) {
          if (at > from) {
            if (bytes[at] !== lineFeed) throw new CodecError(400, 'a bare CR before the first line')
            at += 1
          }
          this.firstAt = at - from
          lineAt = at
          phase = inFirstLine
        }
      }
      if (phase === inFirstLine) {
        const firstClass = this.#firstClass
        while (at < stop && ((classes[bytes[at] as number] as number) & firstClass) !== 0) at += 1
        if (at < stop) {
          if (bytes[at] !== carriageReturn) throw wrongByte(bytes[at] as number, 'the first line')
          if (at - lineAt > limits.maxLineBytes) throw new CodecError(414, 'the first line is too long')
          if (at === lineAt) throw new CodecError(400, 'an empty line in place of the first line')
          this.firstEnd = at - from
          at += 1
          phase = afterFirstLine
        }
      }
      if (phase === afterFirstLine && at < stop) {
        if (bytes[at] !== lineFeed) throw new CodecError(400, 'a bare CR in the first line')
        at += 1
        phase = lineStart
      }
    }
    while (at < stop) {
      if (phase === lineStart) {
        lineAt = at
        if (bytes[at] === carriageReturn) {
          at += 1
          phase = beforeEnd
          continue
        }
        if (this.fields >= limits.maxHeaders) throw new CodecError(431, 'too many fields')
        if (mark + 3 > places.length) places = grownMarks()
        phase = inName
      }
      if (phase === inName) {
        while (at < stop && ((classes[bytes[at] as number] as number) & isToken) !== 0) at += 1
        if (at === stop) break
        if (bytes[at] !== colon || at === lineAt) throw wrongName(bytes[at] as number, at === lineAt)
        places[mark] = lineAt
        places[mark + 1] = at
        at += 1
        phase = inValue
      }
      if (phase === inValue) {
        while (at < stop && ((classes[bytes[at] as number] as number) & isValue) !== 0) at += 1
        if (at === stop) break
        if (bytes[at] !== carriageReturn) throw wrongByte(bytes[at] as number, 'a field value')
        if (at - lineAt > limits.maxLineBytes) throw new CodecError(431, 'a field line is too long')
        places[mark + 2] = at
        mark += 3
        this.fields += 1
        at += 1
        phase = afterValue
        if (at === stop) break
      }
      if (bytes[at] !== lineFeed) throw new CodecError(400, 'a bare CR in a line')
      at += 1
      if (phase === beforeEnd) return at
      phase = lineStart
    }
    if (phase <= inFirstLine && at - lineAt > limits.maxLineBytes)
      throw new CodecError(414, 'the first line is too long')
    if (phase > lineStart && at - lineAt > limits.maxLineBytes) throw new CodecError(431, 'a field line is too long')
    if (at - from >= limits.maxHeadBytes) {
      throw new CodecError(phase <= afterFirstLine ? 414 : 431, 'the head is too large')
    }
    this.#searched = at - from
    this.#lineAt = lineAt - from
    this.#phase = phase
    return -1
  }
}

/** Empty lines are let pass before requests only. */
function startOf(firstClass: number): number {
  if (firstClass === 0) return lineStart
  return firstClass === isRequestLine ? beforeLine : inFirstLine
}

function wrongByte(byte: number, where: string): CodecError {
  const what = byte === lineFeed ? 'a bare LF' : `the byte 0x${byte.toString(16).padStart(2, '0')}`
  return new CodecError(400, `${what} in ${where}`)
}

function wrongName(byte: number, isFirst: boolean): CodecError {
  if (isFirst && (byte === 0x20 || byte === 0x09)) return new CodecError(400, 'a folded line')
  if (byte === 0x20 || byte === 0x09) return new CodecError(400, 'a blank in or after a field name')
  if (byte === carriageReturn || byte === lineFeed) return new CodecError(400, 'a field line without a colon')
  if (isFirst && byte === colon) return new CodecError(400, 'a field without a name')
  return wrongByte(byte, 'a field name')
}
