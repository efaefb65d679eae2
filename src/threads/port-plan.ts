/**
 * Which ports the workers must listen on: those of config.yaml, and those that stream routes name and nobody listens on yet.
 * Kept up to date change by change: one route among ten thousand costs one route.
 */
import type { HttpListener } from '../config/http-listeners.ts'
import type { PortRange, StreamListener } from '../config/stream-listeners.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import type { ListenerSpec } from './messages.ts'

export interface PortPlanOptions {
  readonly configured: readonly StreamListener[]
  readonly http: readonly HttpListener[]
  /** Ports that routes may open. */
  readonly allowed: readonly PortRange[]
  /** The address that such ports are opened on. */
  readonly host: string
  /** The scheme of the upstream that a route ends at: `udp` opens a UDP port, anything else TCP. */
  readonly schemeOf: (route: StreamRouteValue) => string | undefined
  /** A route names a port that is neither listened on nor allowed to be. */
  readonly unreachable: (route: string, port: number) => void
}

/** A port that routes want open: how many of them, and how many of those want TLS ended there. */
interface Opened {
  readonly spec: ListenerSpec
  wishes: number
  tls: number
}

const keyOf = (transport: 'tcp' | 'udp', host: string, port: number): string => `${transport} ${host}:${port}`

export class PortPlan {
  readonly #options: PortPlanOptions
  readonly #configured: readonly ListenerSpec[]
  readonly #covered = new Set<string>()
  /** What each route wishes for; several may wish for the same port. */
  readonly #wishes = new Map<string, readonly ListenerSpec[]>()
  readonly #opened = new Map<string, Opened>()

  constructor(options: PortPlanOptions) {
    this.#options = options
    const streams = options.configured.map(({ transport, host, port, tls }) => ({
      key: keyOf(transport, host, port),
      transport,
      serves: 'stream' as const,
      host,
      port,
      tls,
      from: 'config' as const,
    }))
    const web = options.http.map(({ host, port, tls, path }) => ({
      // Several may ask for any free port: they are not the same.
      key: port === 0 ? `${keyOf('tcp', host, port)} ${path}` : keyOf('tcp', host, port),
      transport: 'tcp' as const,
      serves: 'http' as const,
      host,
      port,
      tls,
      from: 'config' as const,
    }))
    this.#configured = [...streams, ...web]
    for (const { transport, port } of this.#configured) this.#covered.add(`${transport} ${port}`)
  }

  /** A route as it is now; undefined: gone. Answers whether the set of listeners has changed. */
  set(route: string, value: StreamRouteValue | undefined): boolean {
    const before = this.#wishes.get(route) ?? []
    const wishes = value === undefined ? [] : this.#wishesOf(route, value)
    if (wishes.length === 0) this.#wishes.delete(route)
    else this.#wishes.set(route, wishes)
    const touched = new Map<string, string>()
    for (const { key } of [...before, ...wishes]) touched.set(key, this.#shape(key))
    for (const spec of before) this.#count(spec, -1)
    for (const spec of wishes) this.#count(spec, 1)
    for (const [key, shape] of touched) if (this.#shape(key) !== shape) return true
    return false
  }

  /** Routes that opened ports: those to look at again when the transport of an upstream changes. */
  get openers(): IterableIterator<string> {
    return this.#wishes.keys()
  }

  /** Every listener there should be. */
  get listeners(): readonly ListenerSpec[] {
    // Where one route wants TLS ended and another does not say, the listener that reads server names serves both.
    const opened = [...this.#opened.values()].map(({ spec, tls }) => ({ ...spec, tls: tls > 0 }))
    return [...this.#configured, ...opened]
  }

  #shape(key: string): string {
    const opened = this.#opened.get(key)
    return opened === undefined ? 'closed' : String(opened.tls > 0)
  }

  #count(spec: ListenerSpec, by: 1 | -1): void {
    const { key } = spec
    const opened = this.#opened.get(key) ?? { spec, wishes: 0, tls: 0 }
    opened.wishes += by
    if (spec.tls) opened.tls += by
    if (opened.wishes > 0) this.#opened.set(key, opened)
    else this.#opened.delete(key)
  }

  #wishesOf(route: string, value: StreamRouteValue): readonly ListenerSpec[] {
    const wishes: ListenerSpec[] = []
    const { host, allowed } = this.#options
    for (const port of new Set(value.server_ports)) {
      const transport = this.#options.schemeOf(value) === 'udp' ? 'udp' : 'tcp'
      if (this.#covered.has(`${transport} ${port}`)) continue
      if (!allowed.some(({ from, to }) => port >= from && port <= to)) {
        this.#options.unreachable(route, port)
        continue
      }
      const key = keyOf(transport, host, port)
      // A route with server names that does not pass TLS through wants it ended here.
      const tls = transport === 'tcp' && value.snis.length > 0 && !value.tls_passthrough
      wishes.push({ key, transport, serves: 'stream', host, port, tls, from: 'route' })
    }
    return wishes
  }
}
