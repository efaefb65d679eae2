/**
 * Where in the bytes of a connection the body of a message lies, however it is framed: by its length, in chunks, or until the
 * connection ends. One for each direction of a connection, and for each body after the other. It keeps no bytes.
 */
import type { HeaderList } from '#sdk'
import { ChunkedReader } from './codec/chunked-reader.ts'
import type { HeadLimits } from './codec/head-scan.ts'

export class BodyFrames {
  readonly #limits: HeadLimits
  /** Bytes that are to come; without end while the connection's end is the body's. */
  #left: number
  #chunks: ChunkedReader | undefined
  /** Where the part that `read` found begins and ends; equal: it found none. */
  partAt: number
  partEnd: number

  /** `limits`: of trailers. */
  constructor(limits: HeadLimits) {
    this.#limits = limits
    this.#left = 0
    this.#chunks = undefined
    this.partAt = 0
    this.partEnd = 0
  }

  /** The next body is so long; 0: there is none; `Infinity`: it lasts until the connection ends; undefined: it is chunked. */
  begin(length: number | undefined): void {
    this.#left = length ?? 0
    this.#chunks = length === undefined ? new ChunkedReader(this.#limits) : undefined
  }

  get ended(): boolean {
    return this.#chunks === undefined ? this.#left === 0 : this.#chunks.ended
  }

  /** The end of the connection is the end of the body. */
  get untilClose(): boolean {
    return this.#left === Number.POSITIVE_INFINITY
  }

  /** Bytes that are to come; undefined: nobody knows. */
  get left(): number | undefined {
    return this.#chunks === undefined ? this.#left : undefined
  }

  /** Of a body that has ended. */
  get trailers(): HeaderList | undefined {
    return this.#chunks?.trailers
  }

  /**
   * Reads on, up to the end of one part at most; answers the offset to go on from, as `ChunkedReader.read` does. Throws
   * CodecError.
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    const chunks = this.#chunks
    if (chunks !== undefined) {
      const next = chunks.read(bytes, from, to)
      this.partAt = chunks.partAt
      this.partEnd = chunks.partEnd
      return next
    }
    const end = to - from < this.#left ? to : from + this.#left
    this.#left -= end - from
    this.partAt = from
    this.partEnd = end
    return end
  }
}
