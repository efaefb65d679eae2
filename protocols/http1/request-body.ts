/**
 * The body of one request: from the connection it comes on, or, once it was collected or replaced, from where it is kept. The
 * connection reads and frames it; this knows who wants it.
 */
import { type BodyReceiver, type CollectedBody, GatewayError, type HeaderList, type RequestBody } from '#sdk'
import { BodyCollector, type CollectorSource } from './body-collector.ts'
import { type KeptBody, MemoryBody, Replay } from './kept-body.ts'

/** The connection, as its bodies see it. Calls for a body whose exchange is over have no effect. */
export interface BodyOrigin {
  /** 0: no limit. */
  readonly maxBodyBytes: number
  /** Collected bodies above this go to a file in `spillFolder`. */
  readonly memoryBodyBytes: number
  readonly spillFolder: string
  /** Delivery begins, possibly before this returns. */
  flow(body: Http1RequestBody): void
  /** Delivery stops until it flows again. */
  hold(body: Http1RequestBody): void
}

const nothing = new Uint8Array(0)

export class Http1RequestBody implements RequestBody, CollectorSource {
  readonly #origin: BodyOrigin
  #length: number | undefined
  #receiver: BodyReceiver | undefined
  #kept: KeptBody | undefined
  #replay: Replay | undefined
  #collector: BodyCollector | undefined
  #collected: Promise<CollectedBody> | undefined
  #over: boolean
  #error: GatewayError | undefined
  /** 0: any number. */
  maxBytes: number
  received: number
  complete: boolean

  constructor(origin: BodyOrigin, length: number | undefined) {
    this.#origin = origin
    this.#length = length
    this.#receiver = undefined
    this.#kept = undefined
    this.#replay = undefined
    this.#collector = undefined
    this.#collected = undefined
    this.#over = false
    this.#error = undefined
    this.maxBytes = origin.maxBodyBytes
    this.received = 0
    this.complete = length === 0
  }

  get length(): number | undefined {
    return this.#length
  }

  get error(): GatewayError | undefined {
    if (this.#kept !== undefined) return undefined
    const length = this.#length
    if (this.#error === undefined && length !== undefined && this.maxBytes > 0 && length > this.maxBytes) {
      return new GatewayError('body_too_large', `${length} bytes of body, allowed are ${this.maxBytes}`)
    }
    return this.#error
  }

  /** Somebody takes it from the connection, if not just now. */
  get opened(): boolean {
    return this.#receiver !== undefined
  }

  get replayable(): boolean {
    return this.#kept !== undefined || this.#length === 0
  }

  open(receiver: BodyReceiver): void {
    const kept = this.#kept
    if (kept !== undefined) {
      this.#replay?.stop()
      this.#replay = new Replay(kept, receiver)
      this.#replay.resume()
    } else if (this.#length === 0) receiver.ended(undefined)
    else if (this.#receiver !== undefined) {
      receiver.failed(new GatewayError('internal', 'a body that is not kept was opened twice'))
    } else if (this.error !== undefined) receiver.failed(this.error)
    else {
      this.#receiver = receiver
      this.#origin.flow(this)
    }
  }

  pause(): void {
    if (this.#replay !== undefined) this.#replay.pause()
    else this.#origin.hold(this)
  }

  resume(): void {
    if (this.#replay !== undefined) this.#replay.resume()
    else if (this.#receiver !== undefined) this.#origin.flow(this)
  }

  collect(maxBytes: number): CollectedBody | Promise<CollectedBody> {
    if (this.#kept !== undefined) return this.#kept
    this.#collected ??= this.#collect(maxBytes)
    return this.#kept ?? this.#collected
  }

  limit(maxBytes: number): void {
    this.maxBytes = maxBytes
  }

  replace(bytes: Uint8Array): void {
    this.#kept?.release()
    this.#kept = new MemoryBody(bytes)
    this.#length = bytes.length
  }

  /** For the connection, as all that follows: borrowed bytes of the body. */
  arrived(bytes: Uint8Array): void {
    this.#receiver?.part(bytes)
  }

  /** There is no more for now. */
  paused(): void {
    this.#receiver?.flush()
  }

  finished(trailers: HeaderList | undefined): void {
    this.complete = true
    this.#receiver?.ended(trailers)
  }

  broke(error: GatewayError): void {
    if (this.complete || this.#error !== undefined) return
    this.#error = error
    this.#receiver?.failed(error)
  }

  /** The exchange is over: what is kept goes, and nothing more is delivered. */
  release(): void {
    this.#over = true
    this.#replay?.stop()
    this.#kept?.release()
    this.#receiver = undefined
    if (this.complete && this.#collector === undefined) return
    this.#error ??= new GatewayError('client_gone', 'the exchange is over')
    this.#collector?.failed(this.#error)
  }

  /** For the collector: as `pause`, for good. */
  stop(): void {
    this.#origin.hold(this)
  }

  #collect(maxBytes: number): Promise<CollectedBody> {
    if (this.#length === 0) {
      this.#kept = new MemoryBody(nothing)
      return Promise.resolve(this.#kept)
    }
    if (this.#length !== undefined && this.#length > maxBytes) {
      return refusal(new GatewayError('body_too_large', `${this.#length} bytes of body, allowed are ${maxBytes}`))
    }
    const { memoryBodyBytes, spillFolder } = this.#origin
    const collector = new BodyCollector(this, maxBytes, this.#length, memoryBodyBytes, spillFolder)
    this.#collector = collector
    this.open(collector)
    if (collector.kept !== undefined) {
      this.#kept = collector.kept
      return Promise.resolve(this.#kept)
    }
    if (collector.error !== undefined) return refusal(collector.error)
    const outcome = collector.outcome()
    return quiet(outcome.then((kept) => this.#keep(kept)))
  }

  #keep(kept: KeptBody): CollectedBody {
    this.#kept = kept
    if (this.#over) kept.release()
    return kept
  }
}

function refusal(error: GatewayError): Promise<never> {
  return quiet(Promise.reject(error))
}

/** Whoever asked may have gone meanwhile: then nobody is left to hear of a failure. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}
