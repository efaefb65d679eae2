/**
 * Dialling with TLS: a connection first, the handshake in what is left of its time.
 */
import type { TimerWheel } from '../../base/timers.ts'
import type { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import type { DialReceiver, Target, TlsOrigination } from '../wire.ts'
import { originateTls } from './tls-handshake.ts'

/** As `Wire.dial` for a target with TLS; `dial` connects the same target without. */
export function dialTls(
  dial: (target: Target, receiver: DialReceiver) => () => void,
  target: Target,
  tls: TlsOrigination,
  wheel: TimerWheel,
  receiver: DialReceiver,
): () => void {
  const dialling = new TlsDial(target, tls, wheel, receiver)
  dialling.giveUp = dial({ ...target, tls: undefined }, dialling)
  return () => dialling.giveUp()
}

class TlsDial implements DialReceiver {
  readonly #target: Target
  readonly #tls: TlsOrigination
  readonly #wheel: TimerWheel
  readonly #receiver: DialReceiver
  readonly #startedAt: number
  /** Gives up the step that is under way. */
  giveUp: () => void

  constructor(target: Target, tls: TlsOrigination, wheel: TimerWheel, receiver: DialReceiver) {
    this.#target = target
    this.#tls = tls
    this.#wheel = wheel
    this.#receiver = receiver
    this.#startedAt = performance.now()
    this.giveUp = () => {}
  }

  connected(link: Link): void {
    const leftMs = Math.max(0, this.#target.timeoutMs - (performance.now() - this.#startedAt))
    this.giveUp = originateTls(link, this.#tls, leftMs, this.#wheel, this.#receiver)
  }

  failed(error: GatewayError): void {
    this.#receiver.failed(error)
  }
}
