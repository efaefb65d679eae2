/** The ports that one worker listens on: brought to what is wanted, one by one, without touching those that stay. */
import type { TimerWheel } from '../base/timers.ts'
import type { StreamRoad } from '../forward/stream-road.ts'
import type { Link } from '../net/link.ts'
import type { DropReason, Listener, Wire } from '../net/wire.ts'
import type { Log } from '../observability/log.ts'
import type { Beginning, Protocol } from '../protocol/protocol.ts'
import { type Gate, Reception } from '../protocol/reception.ts'
import type { ListenerSpec, ListenFailure, WorkerConf } from './messages.ts'

export interface ListeningOptions {
  readonly wire: Wire
  readonly wheel: TimerWheel
  readonly road: StreamRoad
  readonly gate: Gate
  readonly protocols: readonly Protocol[]
  /** Who serves the links of HTTP listeners. */
  readonly http: HttpDoor
  /** The configuration in force. */
  readonly conf: () => WorkerConf
  readonly log: Log
  /** A datagram of a client was not passed on. */
  readonly dropped: (address: string, reason: DropReason) => void
  /** A listener was closed; its sessions may go on for so long. */
  readonly closed: (spec: ListenerSpec, lingerMs: number) => void
}

export interface HttpDoor {
  readonly gate: Gate
  readonly alpn: readonly string[]
  serve(link: Link, beginning: Beginning, listener: string): void
}

/** `0.0.0.0:9100`, `[::]:9100`: a listener as logs and metrics show it. */
export function listenAddress(spec: { readonly host: string; readonly port: number }): string {
  return spec.host.includes(':') ? `[${spec.host}]:${spec.port}` : `${spec.host}:${spec.port}`
}

/** `spec` is read for each connection: whether TLS ends at a port may change while it stays open. */
interface Place {
  spec: ListenerSpec
  listener: Listener | undefined
}

export class Listening {
  readonly #options: ListeningOptions
  readonly #open = new Map<string, Place>()
  #busy: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: ListeningOptions) {
    this.#options = options
  }

  /** Opens what is new, closes what is gone, one call after the other. Resolves with those that could not be opened. */
  set(specs: readonly ListenerSpec[], lingerMs: number): Promise<readonly ListenFailure[]> {
    const done = this.#busy.then(() => this.#set(specs, lingerMs))
    this.#busy = done.catch(() => {})
    return done
  }

  /** Gives every port up, for good; links live on. */
  async close(): Promise<void> {
    this.#closed = true
    // A port that is just being opened is closed as well.
    await this.#busy
    await emptyQueues()
    const open = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(open.map(({ listener }) => listener?.close()))
  }

  async #set(specs: readonly ListenerSpec[], lingerMs: number): Promise<readonly ListenFailure[]> {
    const wanted = new Map(specs.map((spec) => [spec.key, spec]))
    const gone = [...this.#open.values()].filter(({ spec }) => !wanted.has(spec.key))
    if (gone.length > 0) await emptyQueues()
    for (const { spec, listener } of gone) {
      this.#open.delete(spec.key)
      await listener?.close()
      this.#options.closed(spec, lingerMs)
    }
    const failures: ListenFailure[] = []
    for (const spec of wanted.values()) {
      const place = this.#open.get(spec.key)
      if (place !== undefined) place.spec = spec
      else if (!this.#closed) {
        const failure = await this.#listen(spec)
        if (failure !== undefined) failures.push(failure)
      }
    }
    return failures
  }

  async #listen(spec: ListenerSpec): Promise<ListenFailure | undefined> {
    const { wire, conf, log } = this.#options
    const { key, transport, host, port } = spec
    const carrier = transport === 'tcp' ? 'stream' : 'datagram'
    const address = listenAddress(spec)
    const place: Place = { spec, listener: undefined }
    const reception = this.#reception(place, address)
    if (reception === undefined) return { key, code: 'EPROTONOSUPPORT', message: `no protocol ${transport}` }
    const { reusePort, backlog, keepAliveMs, udpIdleMs: idleMs, udpSessions: maxSessions } = conf()
    const accepted = reception.accept.bind(reception)
    const failed = (error: Error): void => log.warn({ listener: address, error }, 'accepting is in trouble')
    const dropped = (reason: DropReason): void => this.#options.dropped(address, reason)
    try {
      place.listener =
        carrier === 'stream'
          ? await wire.listen({ host, port, reusePort, backlog, keepAliveMs }, accepted, failed)
          : await wire.listenDatagrams({ host, port, reusePort, idleMs, maxSessions, dropped }, accepted, failed)
      this.#open.set(key, place)
      return undefined
    } catch (error) {
      const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException
      return { key, code, message }
    }
  }

  #reception(place: Place, address: string): Reception | undefined {
    const { wire, wheel, conf, http, gate } = this.#options
    const serve = place.spec.serves === 'http' ? this.#http(address) : this.#stream(place.spec.transport, address)
    if (serve === undefined) return undefined
    return new Reception({
      wire,
      wheel,
      serve,
      gate: place.spec.serves === 'http' ? http.gate : gate,
      alpn: place.spec.serves === 'http' ? http.alpn : [],
      get tls() {
        return place.spec.tls
      },
      get handshakeMs() {
        return conf().handshakeMs
      },
      get helloMs() {
        return conf().helloMs
      },
    })
  }

  #http(address: string): Serve {
    const { http } = this.#options
    return (link, beginning) => http.serve(link, beginning, address)
  }

  #stream(transport: 'tcp' | 'udp', address: string): Serve | undefined {
    const { protocols, road } = this.#options
    const protocol = protocols.find((one) => one.name === transport)
    if (protocol === undefined) return undefined
    const own = road.for(protocol, address)
    return (link, beginning) => protocol.serve(link, beginning, own)
  }
}

type Serve = (link: Link, beginning: Beginning) => void

/** A round of the loop that is shorter has hardly anything come in behind its back; it is not waited for any longer than this. */
const [briefMs, patienceMs] = [0.1, 10]

/**
 * The kernel resets connections that wait in the queue of a socket that closes. What goes on after this does so right after
 * the loop has taken in all that waited: only what comes within the same tenth of a millisecond can still be lost, and not even
 * that where the kernel hands them on to the threads that share the port (`net.ipv4.tcp_migrate_req`).
 */
async function emptyQueues(): Promise<void> {
  const until = performance.now() + patienceMs
  for (let from = performance.now(); from < until; ) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = performance.now()
    if (now - from < briefMs) return
    from = now
  }
}
