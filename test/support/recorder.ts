/** A receiver that writes down what it hears, for tests of links. It copies bytes, since they are only lent. */
import type { GatewayError } from '../../src/errors.ts'
import type { Link, Receiver } from '../../src/net/link.ts'
import type { DialReceiver, Target, Wire } from '../../src/net/wire.ts'
import { until } from './until.ts'

export class Recorder implements Receiver {
  readonly chunks: Buffer[] = []
  size = 0
  ends = 0
  drains = 0
  closes = 0
  error: GatewayError | undefined

  bytes(_link: Link, bytes: Uint8Array): void {
    this.chunks.push(Buffer.from(bytes))
    this.size += bytes.length
  }

  ended(): void {
    this.ends += 1
  }

  drained(): void {
    this.drains += 1
  }

  closed(_link: Link, error: GatewayError | undefined): void {
    this.closes += 1
    this.error = error
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

/** Sends everything back where it came from, with back-pressure and half-close. */
export class Echo extends Recorder {
  override bytes(link: Link, bytes: Uint8Array): void {
    this.size += bytes.length
    if (!link.forward(bytes) && link.carrier === 'stream') link.pause()
  }

  override drained(link?: Link): void {
    this.drains += 1
    link?.resume()
  }

  override ended(link?: Link): void {
    this.ends += 1
    link?.end()
  }
}

export const streamTo = (port: number, host = '127.0.0.1', timeoutMs = 5000): Target => ({
  carrier: 'stream',
  host,
  port,
  timeoutMs,
  keepAliveMs: 0,
  tls: undefined,
})

/** What became of a dial: a link or an error, and how often. */
export class Dialled implements DialReceiver {
  link: Link | undefined
  error: GatewayError | undefined
  calls = 0

  connected(link: Link): void {
    this.calls += 1
    this.link = link
  }

  failed(error: GatewayError): void {
    this.calls += 1
    this.error = error
  }
}

/** Dials, and waits for the outcome. */
export async function dialled(wire: Wire, target: Target): Promise<Dialled> {
  const outcome = new Dialled()
  wire.dial(target, outcome)
  await until(() => outcome.calls > 0, { what: 'the outcome of the dial' })
  return outcome
}
