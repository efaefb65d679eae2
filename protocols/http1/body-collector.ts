/**
 * Reads a body to its end and keeps it: in memory, and from a size on in a file. What comes faster than the file takes it is
 * held back at its source.
 */
import { type BodyReceiver, GatewayError, type HeaderList } from '#sdk'
import { FileBody, type KeptBody, MemoryBody } from './kept-body.ts'
import { SpillFile } from './spill-file.ts'

/** Bytes that wait to be written: the source is paused above this. */
const maxUnwrittenBytes = 256 * 1024
const minStoreBytes = 1024
const nothing = new Uint8Array(0)

/** Where the bytes come from. */
export interface CollectorSource {
  pause(): void
  resume(): void
  /** Nothing more is wanted. */
  stop(): void
}

export class BodyCollector implements BodyReceiver {
  readonly #source: CollectorSource
  readonly #maxBytes: number
  readonly #memoryBytes: number
  readonly #folder: string
  /** The last `#filled` bytes that came: all of them, or those that are not with the file yet. */
  #store: Uint8Array
  #filled: number
  #size: number
  #file: SpillFile | undefined
  #writing: boolean
  #paused: boolean
  #whole: boolean
  #trailers: HeaderList | undefined
  #settle: { readonly resolve: (body: KeptBody) => void; readonly reject: (error: GatewayError) => void } | undefined
  /** The outcome, once there is one. */
  kept: KeptBody | undefined
  error: GatewayError | undefined

  /**
   * `maxBytes`: of the whole body; `expected`: what was announced. Up to `memoryBytes` it is kept in memory, else in a file in
   * `folder`.
   */
  constructor(
    source: CollectorSource,
    maxBytes: number,
    expected: number | undefined,
    memoryBytes: number,
    folder: string,
  ) {
    this.#source = source
    this.#maxBytes = maxBytes
    this.#memoryBytes = memoryBytes
    this.#folder = folder
    this.#store = expected === undefined || expected > memoryBytes ? nothing : new Uint8Array(expected)
    this.#filled = 0
    this.#size = 0
    this.#file = undefined
    this.#writing = false
    this.#paused = false
    this.#whole = false
    this.#trailers = undefined
    this.#settle = undefined
    this.kept = undefined
    this.error = undefined
  }

  /** For whoever finds no outcome yet. Once. */
  outcome(): Promise<KeptBody> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  part(bytes: Uint8Array): void {
    if (this.error !== undefined) return
    this.#size += bytes.length
    if (this.#size > this.#maxBytes) {
      this.#source.stop()
      this.failed(new GatewayError('body_too_large', `the body is larger than ${this.#maxBytes} bytes`))
      return
    }
    this.#keep(bytes)
    if (this.#file === undefined && this.#size > this.#memoryBytes) this.#file = new SpillFile(this.#folder)
    if (this.#file !== undefined && !this.#writing) this.#write(this.#file)
    if (this.#file !== undefined && !this.#paused && this.#filled > maxUnwrittenBytes) {
      this.#paused = true
      this.#source.pause()
    }
  }

  ended(trailers: HeaderList | undefined): void {
    if (this.error !== undefined) return
    this.#whole = true
    this.#trailers = trailers
    if (this.#file === undefined) this.#done(new MemoryBody(this.#store.subarray(0, this.#filled), trailers))
    else if (!this.#writing) this.#done(new FileBody(this.#file, this.#size, trailers))
  }

  failed(error: GatewayError): void {
    if (this.error !== undefined || this.kept !== undefined) return
    this.error = error
    this.#store = nothing
    this.#file?.release()
    this.#settle?.reject(error)
  }

  flush(): void {}

  #keep(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length
    if (needed > this.#store.length) {
      const grown = new Uint8Array(Math.max(minStoreBytes, needed, this.#filled * 2))
      grown.set(this.#store.subarray(0, this.#filled))
      this.#store = grown
    }
    this.#store.set(bytes, this.#filled)
    this.#filled = needed
  }

  #write(file: SpillFile): void {
    const bytes = this.#store.subarray(0, this.#filled)
    this.#store = nothing
    this.#filled = 0
    this.#writing = true
    file.append(bytes).then(
      () => this.#written(file),
      (error) => {
        this.#source.stop()
        this.failed(error as GatewayError)
      },
    )
  }

  #written(file: SpillFile): void {
    this.#writing = false
    if (this.error !== undefined) return
    if (this.#filled > 0) this.#write(file)
    else if (this.#whole) this.#done(new FileBody(file, this.#size, this.#trailers))
    if (this.#paused && this.#filled <= maxUnwrittenBytes) {
      this.#paused = false
      this.#source.resume()
    }
  }

  #done(kept: KeptBody): void {
    this.kept = kept
    this.#store = nothing
    this.#settle?.resolve(kept)
  }
}
