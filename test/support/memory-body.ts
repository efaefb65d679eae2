/** The body of a request that lies in memory, delivered as a connection would: part by part, never in the same turn. */
import { GatewayError } from '../../src/errors.ts'
import type { BodyReceiver, CollectedBody, RequestBody } from '../../src/exchange/http-exchange.ts'

export interface MemoryBodyOptions {
  /** No length was announced. */
  readonly chunked?: boolean
  /** The client is gone after the last part, for this reason. */
  readonly fails?: GatewayError
  /** `collect` gives its bytes by promises, as of a body that is still coming or lies in a file. Default true. */
  readonly late?: boolean
}

const bytesOf = (part: string | Uint8Array): Uint8Array => (typeof part === 'string' ? Buffer.from(part) : part)

export class MemoryBody implements RequestBody {
  readonly #options: MemoryBodyOptions
  #parts: readonly Uint8Array[]
  #next = 0
  #receiver: BodyReceiver | undefined = undefined
  #paused = false
  #scheduled = false
  #collected: Promise<CollectedBody> | CollectedBody | undefined = undefined
  length: number | undefined
  received = 0
  complete: boolean
  replayable = false
  readonly error: GatewayError | undefined = undefined
  /** What `limit` was told last. */
  maxBytes = 0

  constructor(parts: readonly (string | Uint8Array)[], options: MemoryBodyOptions = {}) {
    this.#options = options
    this.#parts = parts.map(bytesOf)
    const size = sizeOf(this.#parts)
    this.length = options.chunked === true && size > 0 ? undefined : size
    this.complete = size === 0 && options.fails === undefined
    if (this.complete) this.replayable = true
  }

  open(receiver: BodyReceiver): void {
    if (this.#receiver !== undefined && !this.replayable) throw new Error('the body was opened before')
    this.#receiver = receiver
    this.#next = 0
    this.#schedule()
  }

  limit(maxBytes: number): void {
    this.maxBytes = maxBytes
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  collect(maxBytes: number): CollectedBody | Promise<CollectedBody> {
    if (this.#collected === undefined) {
      const result = this.#collect(maxBytes)
      this.#collected = this.#options.late === false && !(result instanceof Error) ? result : later(result)
    }
    return this.#collected
  }

  /** What would be sent upstream now. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.#parts)
  }

  get text(): string {
    return Buffer.from(this.bytes).toString()
  }

  replace(bytes: Uint8Array): void {
    this.#parts = [bytes]
    this.#collected = collectedOf(bytes, this.#options.late ?? true)
    this.length = bytes.length
    this.received = bytes.length
    this.complete = true
    this.replayable = true
  }

  #collect(maxBytes: number): CollectedBody | GatewayError {
    const bytes = this.bytes
    if (bytes.length > maxBytes) return new GatewayError('body_too_large', `the body is larger than ${maxBytes} bytes`)
    if (this.#options.fails !== undefined) return this.#options.fails
    this.received = bytes.length
    this.complete = true
    this.replayable = true
    return collectedOf(bytes, this.#options.late ?? true)
  }

  #schedule(): void {
    if (this.#scheduled || this.#receiver === undefined) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const receiver = this.#receiver
    if (receiver === undefined || this.#paused) return
    const part = this.#parts[this.#next]
    if (part !== undefined) {
      this.#next++
      if (!this.complete) this.received += part.length
      // Lent: whoever keeps it without a copy shall notice.
      const lent = Uint8Array.from(part)
      receiver.part(lent)
      lent.fill(0x21)
      this.#schedule()
      return
    }
    this.#receiver = this.replayable ? undefined : receiver
    if (this.#options.fails !== undefined && !this.complete) return receiver.failed(this.#options.fails)
    this.complete = true
    receiver.ended(undefined)
  }
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

function collectedOf(bytes: Uint8Array, late: boolean): CollectedBody {
  const told = (some: Uint8Array) => (late ? Promise.resolve(some) : some)
  return { size: bytes.length, bytes: () => told(bytes), start: (maxBytes) => told(bytes.subarray(0, maxBytes)) }
}

function later(result: CollectedBody | GatewayError): Promise<CollectedBody> {
  return result instanceof GatewayError ? Promise.reject(result) : Promise.resolve(result)
}
