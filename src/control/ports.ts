/**
 * Which ports are open, kept in step with config.yaml and with stream routes. Before the workers share a new port it is tried
 * alone, so that it is never shared with a stranger.
 */
import { after, type Timer } from '../base/timers.ts'
import type { BootConf } from '../config/boot-schema.ts'
import { httpListeners } from '../config/http-listeners.ts'
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
  /** Brings the workers to this set; resolves with what some or all of them could not open. */
  readonly listen: (
    listeners: readonly ListenerSpec[],
  ) => Promise<readonly (ListenFailure & { readonly openElsewhere: boolean })[]>
}

export class Ports {
  readonly #options: PortsOptions
  readonly #routes = new Map<string, StreamRouteValue>()
  #plan: PortPlan
  #open: readonly ListenerSpec[] = []
  /** What the workers were last told to open, failures included. */
  #asked: readonly ListenerSpec[] = []
  #busy: Promise<unknown> = Promise.resolve()
  #retry: Timer | undefined
  #told = ''
  #closed = false

  constructor(options: PortsOptions) {
    this.#options = options
    this.#plan = this.#newPlan(options.conf, true)
  }

  /** What is open, or just being opened; a worker that starts opens these. */
  get open(): readonly ListenerSpec[] {
    return this.#open
  }

  /** A stream route as it is now; undefined: gone. True: the ports have to be looked at. */
  set(route: string, value: StreamRouteValue | undefined): boolean {
    if (value === undefined || value.server_ports.length === 0) this.#routes.delete(route)
    else this.#routes.set(route, value)
    return this.#plan.set(route, value)
  }

  /** The transports of upstreams changed: ports that routes opened may have to change theirs. */
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
    this.#plan = this.#newPlan(conf, true)
    for (const [route, value] of this.#routes) this.#plan.set(route, value)
  }

  /** Rejects with those ports of another config.yaml that cannot be had. Changes nothing. */
  check(conf: BootConf): Promise<void> {
    return this.#queued(async () => {
      const plan = this.#newPlan(conf, false)
      for (const [route, value] of this.#routes) plan.set(route, value)
      refuse(plan.listeners, await this.#taken(plan.listeners))
    })
  }

  /** Before the workers start: settles what they will open. Rejects with those ports of config.yaml that cannot be had. */
  begin(): Promise<void> {
    return this.#queued(async () => {
      const wanted = this.#plan.listeners
      const taken = await this.#taken(wanted)
      refuse(wanted, taken)
      this.#asked = this.#open = wanted.filter((spec) => !taken.has(spec.key))
    })
  }

  /** Brings the workers to the plan. Resolves with what could not be opened; those are tried again later. */
  apply(): Promise<readonly string[]> {
    return this.#queued(() => this.#apply())
  }

  /** Some worker could not open what is open elsewhere. */
  retryLater(): void {
    if (this.#closed) return
    this.#retry?.cancel()
    this.#retry = after(retryMs, () => {
      this.apply().catch((error) => this.#options.log.error({ error }, 'opening ports failed'))
    })
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
  }

  #queued<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#busy.then(work)
    this.#busy = done.catch(() => {})
    return done
  }

  async #apply(): Promise<readonly string[]> {
    if (this.#closed) return []
    this.#retry?.cancel()
    const wanted = this.#plan.listeners
    const taken = await this.#taken(wanted)
    const specs = wanted.filter((spec) => !taken.has(spec.key))
    // Said before the workers are: one that starts meanwhile must not miss them.
    this.#asked = this.#open = specs
    const failures = await this.#options.listen(specs)
    const nowhere = new Set(failures.filter((failure) => !failure.openElsewhere).map(({ key }) => key))
    this.#open = specs.filter((spec) => !nowhere.has(spec.key))
    const messages = [...taken.values(), ...failures.map(({ key, message }) => `${key}: ${message}`)]
    this.#tell(messages)
    if (messages.length > 0) this.retryLater()
    return messages
  }

  /** Once for each set of troubles, however often they are tried again. */
  #tell(messages: readonly string[]): void {
    const text = messages.join('\n')
    if (text !== this.#told) {
      for (const message of messages) this.#options.log.error({ retryMs }, `cannot listen: ${message}`)
    }
    this.#told = text
  }

  /** Tries every port that is to be opened and is not open yet; the message of each that cannot be had, by key. */
  async #taken(wanted: readonly ListenerSpec[]): Promise<ReadonlyMap<string, string>> {
    const have = new Set(this.#open.map((spec) => spec.key))
    const taken = new Map<string, string>()
    for (const spec of wanted) {
      if (have.has(spec.key)) continue
      const error = await probePort(spec.transport, spec.host, spec.port)
      if (error === undefined || this.#isOurs(spec)) continue
      taken.set(spec.key, describe(spec, error.code ?? error.message))
    }
    return taken
  }

  /** The workers themselves hold the port, on another address or because only some could open it: they may go on to. */
  #isOurs({ transport, port }: ListenerSpec): boolean {
    if (!this.#asked.some((spec) => spec.transport === transport && spec.port === port)) return false
    return portHolder(transport, port)?.endsWith(`(pid ${process.pid})`) === true
  }

  #newPlan(conf: BootConf, warns: boolean): PortPlan {
    const { schemeOf, log } = this.#options
    return new PortPlan({
      configured: streamListeners(conf),
      http: httpListeners(conf),
      allowed: streamPortRanges(conf),
      host: conf.apisix.enable_ipv6 && systemHasIpv6() ? '::' : '0.0.0.0',
      schemeOf,
      unreachable: (route, port) => {
        if (!warns) return
        log.warn(
          { route, port },
          'a stream route names a port that nobody listens on and that sluice.stream_ports does not allow',
        )
      },
    })
  }
}

/** Ports of config.yaml are a condition; those that routes ask for may come later. */
function refuse(wanted: readonly ListenerSpec[], taken: ReadonlyMap<string, string>): void {
  const refused = wanted.filter((spec) => spec.from === 'config' && taken.has(spec.key))
  if (refused.length > 0) throw new Error(refused.map((spec) => taken.get(spec.key)).join('\n'))
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
