/**
 * Which ports are open, kept in step with config.yaml and with stream routes. Before the workers share a new port it is tried
 * alone, so that it is never shared with a stranger.
 */
import { after, type Timer } from '../base/timers.ts'
import type { BootConf } from '../config/boot-schema.ts'
import { streamListeners, streamPortRanges, systemHasIpv6 } from '../config/stream-listeners.ts'
import { portHolder, probePort } from '../net/port-probe.ts'
import type { Log } from '../observability/log.ts'
import type { StreamRouteValue } from '../resources/stream-route.ts'
import { listenAddress } from '../threads/listening.ts'
import type { ListenerSpec, ListenFailure } from '../threads/messages.ts'
import { PortPlan } from '../threads/port-plan.ts'

/** A port that a route asked for and that was taken is tried again so often. */
const retryMs = 5000

export interface PortsOptions {
  readonly conf: BootConf
  readonly schemeOf: (route: StreamRouteValue) => string | undefined
  readonly log: Log
  /** Brings the workers to this set; resolves with what they could not open. */
  readonly listen: (listeners: readonly ListenerSpec[]) => Promise<readonly ListenFailure[]>
}

export class Ports {
  readonly #options: PortsOptions
  readonly #routes = new Map<string, StreamRouteValue>()
  #plan: PortPlan
  #open: readonly ListenerSpec[] = []
  #busy: Promise<unknown> = Promise.resolve()
  #retry: Timer | undefined
  #closed = false

  constructor(options: PortsOptions) {
    this.#options = options
    this.#plan = this.#newPlan(options.conf)
  }

  /** What is open now. */
  get open(): readonly ListenerSpec[] {
    return this.#open
  }

  /** A stream route as it is now; undefined: gone. True: the ports have to be looked at. */
  set(route: string, value: StreamRouteValue | undefined): boolean {
    if (value === undefined || value.server_ports.length === 0) this.#routes.delete(route)
    else this.#routes.set(route, value)
    return this.#plan.set(route, value)
  }

  /** Upstreams or services changed: ports that routes opened may have to change their transport. */
  reconsider(): boolean {
    let changed = false
    for (const route of [...this.#plan.openers]) {
      const value = this.#routes.get(route)
      if (value !== undefined && this.#plan.set(route, value)) changed = true
    }
    return changed
  }

  /** Another config.yaml: the plan is made anew. */
  replan(conf: BootConf): void {
    this.#plan = this.#newPlan(conf)
    for (const [route, value] of this.#routes) this.#plan.set(route, value)
  }

  /** Tries every port that is to be opened and is not open yet; the message of each that cannot be had. */
  async probe(): Promise<{ wanted: readonly ListenerSpec[]; taken: ReadonlyMap<string, string> }> {
    const wanted = this.#plan.listeners
    const have = new Set(this.#open.map((spec) => spec.key))
    const taken = new Map<string, string>()
    for (const spec of wanted) {
      if (have.has(spec.key)) continue
      const error = await probePort(spec.transport, spec.host, spec.port)
      if (error !== undefined) taken.set(spec.key, describe(spec, error.code ?? error.message))
    }
    return { wanted, taken }
  }

  /** The workers have been started with these. */
  opened(specs: readonly ListenerSpec[]): void {
    this.#open = specs
  }

  /** Brings the workers to the plan. Resolves with what could not be opened; those are tried again later. */
  apply(): Promise<readonly string[]> {
    const done = this.#busy.then(() => this.#apply())
    this.#busy = done.catch(() => {})
    return done
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
  }

  async #apply(): Promise<readonly string[]> {
    if (this.#closed) return []
    this.#retry?.cancel()
    const { wanted, taken } = await this.probe()
    const specs = wanted.filter((spec) => !taken.has(spec.key))
    const failures = await this.#options.listen(specs)
    const failed = new Set(failures.map((failure) => failure.key))
    this.#open = specs.filter((spec) => !failed.has(spec.key))
    const messages = [...taken.values(), ...failures.map((failure) => `${failure.key}: ${failure.message}`)]
    for (const message of messages) this.#options.log.error({ retryMs }, `cannot listen: ${message}`)
    if (messages.length > 0 && !this.#closed) this.#retry = after(retryMs, () => void this.apply())
    return messages
  }

  #newPlan(conf: BootConf): PortPlan {
    const { schemeOf, log } = this.#options
    return new PortPlan({
      configured: streamListeners(conf),
      allowed: streamPortRanges(conf),
      host: conf.apisix.enable_ipv6 && systemHasIpv6() ? '::' : '0.0.0.0',
      schemeOf,
      unreachable: (route, port) =>
        log.warn(
          { route, port },
          'a stream route names a port that nobody listens on and that sluice.stream_ports does not allow',
        ),
    })
  }
}

/** `port 9100 (tcp, 0.0.0.0) is taken by nginx (pid 812)`, or the system's reason. */
export function describe(spec: { transport: 'tcp' | 'udp'; host: string; port: number }, code: string): string {
  const where = `${spec.transport} port ${spec.port} (${listenAddress(spec)})`
  if (code !== 'EADDRINUSE') return `${where} cannot be opened: ${reasons[code] ?? code}`
  const holder = portHolder(spec.transport, spec.port)
  return holder === undefined ? `${where} is already in use` : `${where} is already in use by ${holder}`
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied (EACCES)',
  EADDRNOTAVAIL: 'this machine has no such address (EADDRNOTAVAIL)',
}
