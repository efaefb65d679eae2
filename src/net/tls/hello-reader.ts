/**
 * Collects the first bytes of a link until it is known whether they are a ClientHello, and what it asks for. It answers
 * nothing and closes nothing: what becomes of the link is for the caller to say.
 */
import type { Timer, TimerWheel } from '../../base/timers.ts'
import { GatewayError } from '../../errors.ts'
import type { Link, Receiver } from '../link.ts'
import { alerts } from './alert.ts'
import { type ClientHello, type HelloReading, maxHelloBytes, readClientHello } from './client-hello.ts'

export interface HelloOptions {
  /** From now to the last byte of the ClientHello, however steadily bytes drip in. */
  readonly timeoutMs: number
  /** No more than 64 KiB are waited for, even if this is more. */
  readonly maxBytes: number
  readonly wheel: TimerWheel
}

export interface HelloResult {
  /** All that was read, owned by the caller. */
  readonly head: Uint8Array
  /** Undefined without an error: the bytes are not TLS. */
  readonly hello: ClientHello | undefined
  /**
   * `client_timeout`: not decided in time; the link is still usable. `bad_tls`: TLS that cannot be served.
   * `client_gone` or the link's own error: the client ended or the link is closed.
   */
  readonly error: GatewayError | undefined
  /** With `bad_tls`: the description of the alert that says so. */
  readonly alert: number | undefined
}

/**
 * Opens the link and calls `done` once, from within one of the link's calls or the wheel's, with the link paused: whoever
 * goes on opens it with a receiver of its own (and resumes it), or hands it to `Wire.terminate` together with `head`.
 */
export function readHello(link: Link, options: HelloOptions, done: (result: HelloResult) => void): void {
  new HelloReader(link, options, done).start()
}

class HelloReader implements Receiver {
  readonly #link: Link
  readonly #options: HelloOptions
  readonly #done: (result: HelloResult) => void
  #chunks: Uint8Array[]
  #length: number
  #atLeast: number
  #timer: Timer | undefined
  #decided: boolean

  constructor(link: Link, options: HelloOptions, done: (result: HelloResult) => void) {
    this.#link = link
    this.#options = options
    this.#done = done
    this.#chunks = []
    this.#length = 0
    this.#atLeast = 1
    this.#timer = undefined
    this.#decided = false
  }

  start(): void {
    this.#timer = this.#options.wheel.start(this.#options.timeoutMs, this)
    this.#link.open(this)
  }

  bytes(_link: Link, bytes: Uint8Array): void {
    if (this.#decided) return
    this.#chunks.push(Buffer.from(bytes))
    this.#length += bytes.length
    // Reading anew for every byte of a dripping client would be quadratic.
    if (this.#length >= this.#atLeast) this.#read()
  }

  ended(): void {
    this.#decide(undefined, new GatewayError('client_gone', 'the client ended before its ClientHello was complete'))
  }

  drained(): void {}

  closed(_link: Link, error: GatewayError | undefined): void {
    this.#decide(
      undefined,
      error ?? new GatewayError('client_gone', 'the client closed before its ClientHello was complete'),
    )
  }

  expired(): void {
    const { timeoutMs } = this.#options
    this.#decide(undefined, new GatewayError('client_timeout', `no complete ClientHello within ${timeoutMs} ms`))
  }

  #read(): void {
    const reading = readClientHello(this.#head())
    if (reading.state === 'hello') this.#decide(reading.hello, undefined)
    else if (reading.state === 'not-tls') this.#decide(undefined, undefined)
    else if (reading.state === 'bad') this.#refuse(reading)
    else if (this.#length >= Math.min(this.#options.maxBytes, maxHelloBytes)) this.#refuse(tooLong)
    else this.#atLeast = Math.min(reading.atLeast, this.#options.maxBytes)
  }

  #refuse(reading: { readonly reason: string; readonly alert: number }): void {
    this.#decide(undefined, new GatewayError('bad_tls', reading.reason), reading.alert)
  }

  #decide(hello: ClientHello | undefined, error: GatewayError | undefined, alert?: number): void {
    if (this.#decided) return
    this.#decided = true
    this.#timer?.cancel()
    if (!this.#link.closed) this.#link.pause()
    this.#done({ head: this.#head(), hello, error, alert })
  }

  #head(): Uint8Array {
    const only = this.#chunks[0]
    if (this.#chunks.length === 1 && only !== undefined) return only
    const head = Buffer.concat(this.#chunks)
    this.#chunks = [head]
    return head
  }
}

const tooLong = { reason: 'the ClientHello is too long', alert: alerts.decodeError } satisfies Partial<HelloReading>
