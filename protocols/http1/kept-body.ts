/** Bodies that were read whole, in memory or in a file, and their delivery: as often as they are opened. */
import { type BodyReceiver, type CollectedBody, GatewayError, type HeaderList } from '#sdk'
import type { SpillFile } from './spill-file.ts'

/** What is read of a file at once. */
const pieceBytes = 64 * 1024

export interface KeptBody extends CollectedBody {
  readonly trailers: HeaderList | undefined
  /** Some bytes from `at` on, which is before the end; a promise rejects with a GatewayError. */
  read(at: number): Uint8Array | Promise<Uint8Array>
  /** The exchange is over. */
  release(): void
}

export class MemoryBody implements KeptBody {
  readonly trailers: HeaderList | undefined
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, trailers?: HeaderList) {
    this.#bytes = bytes
    this.trailers = trailers
  }

  get size(): number {
    return this.#bytes.length
  }

  bytes(): Uint8Array {
    return this.#bytes
  }

  start(maxBytes: number): Uint8Array {
    return this.#bytes.subarray(0, maxBytes)
  }

  read(at: number): Uint8Array {
    return at === 0 ? this.#bytes : this.#bytes.subarray(at)
  }

  release(): void {}
}

export class FileBody implements KeptBody {
  readonly size: number
  readonly trailers: HeaderList | undefined
  readonly #file: SpillFile

  constructor(file: SpillFile, size: number, trailers: HeaderList | undefined) {
    this.size = size
    this.trailers = trailers
    this.#file = file
  }

  bytes(): Promise<Uint8Array> {
    return this.#file.read(0, this.size)
  }

  start(maxBytes: number): Promise<Uint8Array> {
    return this.#file.read(0, Math.min(maxBytes, this.size))
  }

  read(at: number): Promise<Uint8Array> {
    return this.#file.read(at, Math.min(pieceBytes, this.size - at))
  }

  release(): void {
    this.#file.release()
  }
}

/** One delivery of a kept body. It begins with `resume`. */
export class Replay {
  readonly #body: KeptBody
  readonly #receiver: BodyReceiver
  #at: number
  #paused: boolean
  /** A call of `#go` is under way, or a read that will go on. */
  #going: boolean
  #over: boolean

  constructor(body: KeptBody, receiver: BodyReceiver) {
    this.#body = body
    this.#receiver = receiver
    this.#at = 0
    this.#paused = true
    this.#going = false
    this.#over = false
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (!this.#going) this.#go()
  }

  /** Nothing more is delivered. */
  stop(): void {
    this.#over = true
  }

  #go(): void {
    this.#going = true
    while (!this.#paused && !this.#over) {
      if (this.#at === this.#body.size) {
        this.#over = true
        this.#receiver.ended(this.#body.trailers)
        break
      }
      const piece = this.#body.read(this.#at)
      if (!(piece instanceof Uint8Array)) {
        this.#await(piece)
        return
      }
      this.#deliver(piece)
    }
    this.#going = false
  }

  #deliver(piece: Uint8Array): void {
    this.#at += piece.length
    this.#receiver.part(piece)
  }

  #await(piece: Promise<Uint8Array>): void {
    this.#receiver.flush()
    piece.then(
      (bytes) => {
        if (this.#over) return
        // Paused meanwhile: it is read again later rather than kept.
        if (!this.#paused) this.#deliver(bytes)
        this.#go()
      },
      (error) => {
        if (this.#over) return
        this.#over = true
        this.#receiver.failed(GatewayError.from(error))
      },
    )
  }
}
