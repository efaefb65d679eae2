/** The ports that one worker listens on: brought to what is wanted, one by one, without touching those that stay. */
import type { TimerWheel } from '../base/timers.ts'
import type { StreamRoad } from '../forward/stream-road.ts'
import type { Listener, Wire } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { Protocol } from '../protocol/protocol.ts'
import { type Gate, Reception } from '../protocol/reception.ts'
import type { ListenerSpec, ListenFailure, WorkerConf } from './messages.ts'

export interface ListeningOptions {
  readonly wire: Wire
  readonly wheel: TimerWheel
  readonly road: StreamRoad
  readonly gate: Gate
  readonly protocols: readonly Protocol[]
  readonly log: Log
  /** A listener was closed; its sessions may go on for so long. */
  readonly closed: (spec: ListenerSpec, lingerMs: number) => void
}

/** `0.0.0.0:9100`, `[::]:9100`: a listener as logs and metrics show it. */
export function listenAddress(spec: { readonly host: string; readonly port: number }): string {
  return spec.host.includes(':') ? `[${spec.host}]:${spec.port}` : `${spec.host}:${spec.port}`
}

export class Listening {
  readonly #options: ListeningOptions
  readonly #open = new Map<string, { readonly spec: ListenerSpec; readonly listener: Listener }>()

  #busy: Promise<unknown> = Promise.resolve()

  constructor(options: ListeningOptions) {
    this.#options = options
  }

  /** Opens what is new, closes what is gone, one call after the other. Resolves with those that could not be opened. */
  set(specs: readonly ListenerSpec[], conf: WorkerConf, lingerMs: number): Promise<readonly ListenFailure[]> {
    const done = this.#busy.then(() => this.#set(specs, conf, lingerMs))
    this.#busy = done.catch(() => {})
    return done
  }

  async #set(specs: readonly ListenerSpec[], conf: WorkerConf, lingerMs: number): Promise<readonly ListenFailure[]> {
    const wanted = new Map(specs.map((spec) => [spec.key, spec]))
    for (const [key, open] of this.#open) {
      const spec = wanted.get(key)
      if (spec !== undefined && spec.tls === open.spec.tls) continue
      this.#open.delete(key)
      await open.listener.close()
      this.#options.closed(open.spec, lingerMs)
    }
    const failures: ListenFailure[] = []
    for (const spec of wanted.values()) {
      if (this.#open.has(spec.key)) continue
      const failure = await this.#listen(spec, conf)
      if (failure !== undefined) failures.push(failure)
    }
    return failures
  }

  /** Gives every port up; links live on. */
  async close(): Promise<void> {
    const open = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(open.map(({ listener }) => listener.close()))
  }

  async #listen(spec: ListenerSpec, conf: WorkerConf): Promise<ListenFailure | undefined> {
    const { wire, wheel, road, gate, protocols, log } = this.#options
    const carrier = spec.transport === 'tcp' ? 'stream' : 'datagram'
    const protocol = protocols.find((one) => one.name === spec.transport && one.carrier === carrier)
    if (protocol === undefined)
      return { key: spec.key, code: 'EPROTONOSUPPORT', message: `no protocol ${spec.transport}` }
    const address = listenAddress(spec)
    const { handshakeMs, helloMs, reusePort, backlog, keepAliveMs, udpIdleMs, udpSessions } = conf
    const reception = new Reception({
      wire,
      wheel,
      protocol,
      road: road.for(protocol, address),
      gate,
      tls: spec.tls,
      handshakeMs,
      helloMs,
    })
    const { host, port } = spec
    const accepted = reception.accept.bind(reception)
    const failed = (error: Error): void => log.warn({ listener: address, error }, 'accepting is in trouble')
    try {
      const listener =
        carrier === 'stream'
          ? await wire.listen({ host, port, reusePort, backlog, keepAliveMs }, accepted, failed)
          : await wire.listenDatagrams(
              { host, port, reusePort, idleMs: udpIdleMs, maxSessions: udpSessions },
              accepted,
              failed,
            )
      this.#open.set(spec.key, { spec, listener })
      return undefined
    } catch (error) {
      const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
      return { key: spec.key, code, message }
    }
  }
}
