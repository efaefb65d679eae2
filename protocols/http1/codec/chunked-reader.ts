/** Reads a chunked body from borrowed bytes, cut anywhere; it holds back no byte of the body and copies none. [RFC 9112 §7.1] */
import type { HeaderList } from '#sdk'
import { ChunkLine } from './chunk-line.ts'
import { CodecError } from './codec-error.ts'
import type { HeadLimits } from './head-scan.ts'
import { carriageReturn, lineFeed } from './octets.ts'
import { TrailerReader } from './trailer-reader.ts'

const inLine = 0
const inData = 1
const afterData = 2
const afterDataCr = 3
const inTrailers = 4
const over = 5

export class ChunkedReader {
  readonly #limits: HeadLimits
  readonly #line: ChunkLine
  #phase = inLine
  /** Bytes of the chunk in progress that have not come. */
  #left = 0
  #trailers: TrailerReader | undefined = undefined
  /** Where the part of the body that `read` found begins and ends in its bytes; equal: it found none. */
  partAt = 0
  partEnd = 0
  /** Of the body, once it ended; undefined: there are none. */
  trailers: HeaderList | undefined = undefined

  constructor(limits: HeadLimits) {
    this.#limits = limits
    this.#line = new ChunkLine(limits.maxLineBytes)
  }

  /** The body is not whole: no more bytes means that it was cut off. */
  get midway(): boolean {
    return this.#phase !== over
  }

  /** The body is whole; what follows is another message's. */
  get ended(): boolean {
    return this.#phase === over
  }

  /**
   * Reads on up to the end of one part at most; answers the offset to go on from. All bytes before it are used up, and none
   * has to be kept: `while (at < to && !reader.ended) at = reader.read(bytes, at, to)`, and the part after each call.
   * Throws CodecError: the body is broken, and with it the connection.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    this.partAt = this.partEnd = from
    while (at < to) {
      if (this.#phase === inLine) {
        at = this.#line.read(bytes, at, to)
        if (!this.#line.ended) return at
        this.#left = this.#line.size
        this.#line.reset()
        this.#phase = this.#left === 0 ? inTrailers : inData
      } else if (this.#phase === inData) {
        const end = to - at < this.#left ? to : at + this.#left
        this.partAt = at
        this.partEnd = end
        this.#left -= end - at
        if (this.#left === 0) this.#phase = afterData
        return end
      } else if (this.#phase === afterData) {
        if (bytes[at] !== carriageReturn) throw new CodecError(400, 'a chunk that is longer than its size')
        at += 1
        this.#phase = afterDataCr
      } else if (this.#phase === afterDataCr) {
        if (bytes[at] !== lineFeed) throw new CodecError(400, 'a bare CR after a chunk')
        at += 1
        this.#phase = inLine
      } else if (this.#phase === inTrailers) {
        this.#trailers ??= new TrailerReader(this.#limits)
        at = this.#trailers.read(bytes, at, to)
        if (!this.#trailers.ended) return at
        this.trailers = this.#trailers.headers
        this.#trailers = undefined
        this.#phase = over
      } else return at
    }
    return at
  }
}
