/**
 * Which ports the workers must listen on: those of config.yaml, and those that stream routes name and nobody listens on yet.
 * Kept up to date change by change: one route among ten thousand costs one route.
 */
import type { PortRange, StreamListener } from '../config/stream-listeners.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import type { ListenerSpec } from './messages.ts'

export interface PortPlanOptions {
  readonly configured: readonly StreamListener[]
  /** Ports that routes may open. */
  readonly allowed: readonly PortRange[]
  /** The address that such ports are opened on. */
  readonly host: string
  /** The scheme of the upstream that a route ends at: `udp` opens a UDP port, anything else TCP. */
  readonly schemeOf: (route: StreamRouteValue) => string | undefined
  /** A route names a port that is neither listened on nor allowed to be. */
  readonly unreachable: (route: string, port: number) => void
}

interface Wish {
  readonly route: string
  readonly key: string
  readonly spec: ListenerSpec
}

const keyOf = (transport: 'tcp' | 'udp', host: string, port: number): string => `${transport} ${host}:${port}`

export class PortPlan {
  readonly #options: PortPlanOptions
  readonly #configured: readonly ListenerSpec[]
  readonly #covered = new Set<string>()
  /** Wishes of routes, by route; several routes may wish for the same port. */
  readonly #wishes = new Map<string, readonly Wish[]>()

  constructor(options: PortPlanOptions) {
    this.#options = options
    this.#configured = options.configured.map(({ transport, host, port, tls }) => ({
      key: keyOf(transport, host, port),
      transport,
      host,
      port,
      tls,
      from: 'config',
    }))
    for (const { transport, port } of options.configured) this.#covered.add(`${transport} ${port}`)
  }

  /** A route as it is now; undefined: gone. Answers whether the set of listeners may have changed. */
  set(route: string, value: StreamRouteValue | undefined): boolean {
    const before = this.#wishes.get(route) ?? []
    const wishes = value === undefined ? [] : this.#wishesOf(route, value)
    if (wishes.length === 0) this.#wishes.delete(route)
    else this.#wishes.set(route, wishes)
    const text = (list: readonly Wish[]): string => list.map((wish) => `${wish.key} ${wish.spec.tls}`).join()
    return text(before) !== text(wishes)
  }

  /** Routes that opened ports: those to look at again when upstreams or services change. */
  get openers(): IterableIterator<string> {
    return this.#wishes.keys()
  }

  /** Every listener there should be. */
  get listeners(): readonly ListenerSpec[] {
    const opened = new Map<string, ListenerSpec>()
    for (const wishes of this.#wishes.values()) {
      for (const { key, spec } of wishes) {
        const other = opened.get(key)
        // Where one route wants TLS ended and another does not say, the listener that reads server names serves both.
        if (other === undefined || (spec.tls && !other.tls)) opened.set(key, spec)
      }
    }
    return [...this.#configured, ...opened.values()]
  }

  #wishesOf(route: string, value: StreamRouteValue): readonly Wish[] {
    const wishes: Wish[] = []
    const { host, allowed } = this.#options
    for (const port of value.server_ports) {
      const transport = this.#options.schemeOf(value) === 'udp' ? 'udp' : 'tcp'
      if (this.#covered.has(`${transport} ${port}`)) continue
      if (!allowed.some(({ from, to }) => port >= from && port <= to)) {
        this.#options.unreachable(route, port)
        continue
      }
      const key = keyOf(transport, host, port)
      // A route with server names that does not pass TLS through wants it ended here.
      const tls = transport === 'tcp' && value.snis.length > 0 && !value.tls_passthrough
      wishes.push({ route, key, spec: { key, transport, host, port, tls, from: 'route' } })
    }
    return wishes
  }
}
