/**
 * A traffic thread: wires the snapshot compiler, the road and the listeners together and does what main says. What goes
 * wrong in one exchange ends there; what nobody caught is told to main, which replaces this thread.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { httpProtocols, protocols } from '../protocols/index.ts'
import type { Json } from './base/json.ts'
import { attachSharedCounters } from './base/shared-counters.ts'
import { attachSharedWindows } from './base/shared-windows.ts'
import { after, sleep, TimerWheel } from './base/timers.ts'
import type { Exchange } from './exchange/exchange.ts'
import type { HttpExchange } from './exchange/http-exchange.ts'
import type { HttpSession } from './exchange/http-session.ts'
import { ChainLeases } from './forward/chain-leases.ts'
import { StreamRoad } from './forward/stream-road.ts'
import { trustAuthorities } from './net/tls/authorities.ts'
import { createWire } from './net/wires.ts'
import { SwitchableLog } from './observability/switchable-log.ts'
import { PluginHost } from './plugin/host.ts'
import type { Condition } from './plugin/member.ts'
import type { AnyPlugin } from './plugin/plugin.ts'
import { plugins } from './plugins/index.ts'
import { compileExpression } from './route/expression.ts'
import type { HttpRouterIndex } from './route/http-route.ts'
import { httpRouter } from './route/http-router.ts'
import { type NormalChange, SnapshotCompiler } from './snapshot/compiler.ts'
import { enabledPlugins, loadExtraPlugins } from './threads/extra-plugins.ts'
import { httpNumbers } from './threads/http-numbers.ts'
import { HttpRecords } from './threads/http-records.ts'
import { HttpService } from './threads/http-service.ts'
import { Listening, listenAddress } from './threads/listening.ts'
import type { Answers, FromWorker, ListenerSpec, ToWorker, WorkerBoot, WorkerConf } from './threads/messages.ts'
import { PublicApis } from './threads/public-apis.ts'
import { SessionRecords } from './threads/session-records.ts'
import { certificateDefaults } from './threads/worker-conf.ts'
import { WorkerGate } from './threads/worker-gate.ts'

/** How long links that were cut may take to close. */
const cutMs = 1000

/** How long logs of plugins may take to be sent at the end. */
const flushMs = 2000

const port = parentPort
if (port === null) throw new Error('worker.ts runs in a thread of the gateway, not by itself')
const boot = workerData as WorkerBoot
const say = (message: FromWorker): void => port.postMessage(message)

let conf: WorkerConf = boot.conf
const log = new SwitchableLog(conf.errorLog, conf.errorLogLevel, boot.index)
const told = (error: unknown): void => {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  log.error({ error }, 'an exception that nobody caught; this worker will be replaced')
  say({ type: 'fatal', message, stack: stack ?? message })
}
process.on('uncaughtException', told)
process.on('unhandledRejection', told)

if (conf.trusted !== undefined) trustAuthorities(conf.trusted)
const wheel = new TimerWheel()
const counters = attachSharedCounters(boot.counters, boot.index)
const windows = attachSharedWindows(boot.windows, boot.index, {
  displaced: () => log.warn({ setting: 'sluice.limits.shared_windows' }, 'too many keys of limits: one was forgotten'),
})
let extra = await loadExtraPlugins(conf.extraPlugins, conf.pluginGeneration)
const enabled = (next: WorkerConf): readonly AnyPlugin[] =>
  enabledPlugins(plugins, { http: next.plugins, stream: next.streamPlugins }, extra)
const attributes = (plugin: string): Json | undefined => conf.pluginAttributes[plugin] as Json | undefined
const loadBody = (exchange: HttpExchange): Promise<void> | undefined =>
  (exchange as HttpSession).bodyVariables.load(http.road.options.settings().bodyLimits)
const records = new SessionRecords(conf, log)
const { metrics } = records
const publicApis = new PublicApis(() => say({ type: 'ask', what: 'exposition' }))
const host = new PluginHost({
  publicApi: (method, path) => publicApis.find(conf, method, path),
  ...{ home: conf.home, plugins: enabled(conf), counters, windows, metrics, log, compileFilter, loadBody, attributes },
})
const leases = new ChainLeases()
const compiler = new SnapshotCompiler({
  host,
  counters,
  certificates: certificateDefaults(conf, boot.ticketSecret),
  trusted: conf.trusted,
  httpRouter: emptyRouter(conf),
  consumerChains: conf.consumerChains,
  retired: (chain) => leases.retire(chain),
  log,
})
const { wire, passedOver } = createWire(boot.wire, { wheel })
for (const { name, reason } of passedOver) {
  log.warn({ wire: name, reason, instead: wire.name }, 'this worker cannot have the wire of the others')
}
const road = new StreamRoad({
  current: () => compiler.current,
  wire,
  wheel,
  keepAliveMs: conf.keepAliveMs,
  leases,
  log,
  started: (exchange) => records.started(exchange),
  ended: (exchange) => records.ended(exchange),
})
const current = () => compiler.current
const links = (): number => road.active * 2 + http.connections + http.road.active
const gate = new WorkerGate({ current, conf: () => conf, links, streams: true, log })
const httpGate = new WorkerGate({ current, conf: () => conf, links, streams: false, log })
const httpRecords = new HttpRecords(conf.http, log)
const http = new HttpService({
  ...{ conf, current, wire, wheel, leases, log, gate: httpGate, protocols: httpProtocols },
  ended: (exchange) => httpRecords.ended(exchange),
  refused: (link, error, status, listener) => {
    httpRecords.requests++
    const client = `${link.remoteAddress}:${link.remotePort}`
    log.info({ client, listener, status, code: error.code, cause: error.message }, 'a request was refused')
  },
})
const listening = new Listening({
  ...{ wire, wheel, road, gate, protocols, http, log },
  conf: () => conf,
  dropped: (address, reason) => records.dropped(address, reason),
  closed: drainListener,
})

/**
 * Sessions of a listener that is gone may end by themselves for a while; what is left then is closed. Those of UDP end at once:
 * they share one socket, which would swallow the datagrams of new clients for as long as it stays.
 */
function drainListener(spec: ListenerSpec, lingerMs: number): void {
  if (spec.serves === 'http') return http.drainListener(listenAddress(spec), lingerMs)
  const address = listenAddress(spec)
  const closedAt = performance.now()
  const cut = (): number =>
    road.cut('draining', 'the listener is gone', ({ listener, downstream, startedAt }) => {
      // The port may have been opened again meanwhile: its new sessions are not meant.
      if (listener !== address || startedAt > closedAt) return false
      return (downstream.carrier === 'datagram') === (spec.transport === 'udp')
    })
  if (spec.transport === 'udp') return void cut()
  wheel.start(lingerMs, {
    expired() {
      const sessions = cut()
      if (sessions > 0) log.warn({ listener: address, sessions }, 'sessions outlived their listener and were closed')
    },
  })
}

/** A router for the HTTP routes to be put in, of the kind that is configured. */
function emptyRouter({ http: { router, matchUriEncodedSlash } }: WorkerConf): HttpRouterIndex {
  return httpRouter(router, [], { keepEncodedSlashes: matchUriEncodedSlash })
}

function routerOf({ http: { router, matchUriEncodedSlash } }: WorkerConf): string {
  return `${router} ${matchUriEncodedSlash}`
}

function compileFilter(filter: unknown): Condition {
  const { names, evaluate } = compileExpression(filter)
  return Object.assign((exchange: Exchange) => evaluate((name) => exchange.value(name)), { names })
}

/** Lets sessions end, cuts those that take too long, and makes the logs whole. */
async function drain(lingerMs: number): Promise<void> {
  await listening.close()
  // A client of UDP comes back with its next datagram, to a worker that stays: see drainListener.
  road.cut('draining', 'the worker is going away', ({ downstream }) => downstream.carrier === 'datagram')
  http.drain()
  const deadline = after(lingerMs, () => {
    road.cut('draining', 'the gateway is going away')
    http.cut('the gateway is going away')
  })
  const patience = new AbortController()
  // Cut sessions end a moment later, when their links have closed.
  await Promise.race([quiet(), sleep(lingerMs + cutMs, patience.signal)])
  patience.abort()
  deadline.cancel()
  const unsent = await host.outputs.flush(flushMs)
  if (unsent > 0) log.warn({ outputs: unsent }, 'logs of plugins were not sent in time and are lost')
  await records.close()
  await httpRecords.close()
  await log.close()
}

/** Resolves when there is no session, and no connection that may become one. */
async function quiet(): Promise<void> {
  while (gate.pending + httpGate.pending + road.active + http.road.active + http.connections > 0) {
    await gate.settled()
    await httpGate.settled()
    await road.idle()
    await http.idle()
  }
}

/** One at a time, in the order in which main sent them. */
let configuring: Promise<void> = Promise.resolve()

/** What decides on which plugins there are. */
const pluginsIn = (of: WorkerConf): string =>
  JSON.stringify([of.plugins, of.streamPlugins, of.extraPlugins, of.pluginGeneration, of.pluginAttributes])

/** Rejects when a log file cannot be opened, and the rest is in force then; or when a plugin cannot be loaded, and nothing is. */
async function configure(next: WorkerConf, resources: readonly NormalChange[]): Promise<void> {
  if (pluginsIn(next) !== pluginsIn(conf)) extra = await loadExtraPlugins(next.extraPlugins, next.pluginGeneration)
  // From here on at once: no exchange may see new plugins with old values.
  const before = conf
  conf = next
  const others = pluginsIn(next) !== pluginsIn(before)
  if (others) host.enable(enabled(next))
  if (resources.length > 0) compiler.apply(resources, compiler.current.revision)
  if (others) compiler.rechain()
  const defaults = certificateDefaults(next, boot.ticketSecret)
  const old = certificateDefaults(before, boot.ticketSecret)
  if (JSON.stringify(defaults) !== JSON.stringify(old)) compiler.recertify(defaults)
  http.configure(next)
  if (routerOf(next) !== routerOf(before)) compiler.reroute(emptyRouter(next))
  log.configure(next.errorLog, next.errorLogLevel)
  records.configure(next)
  httpRecords.configure(next.http)
}

/** Does one order; what it returns is the answer of orders that have one. */
const orders: { [T in keyof Answers]: (order: Extract<ToWorker, { type: T }>) => Promise<Answers[T]> } = {
  conf: async (order) => {
    const mine = configuring.then(() => configure(order.conf, order.resources))
    configuring = mine.catch(() => {})
    await mine
    return null
  },
  listen: (order) => listening.set(order.listeners, order.lingerMs),
  report: async () => ({
    revision: compiler.current.revision,
    sessions: road.active + gate.pending + http.connections + httpGate.pending,
    accepted: gate.accepted + httpGate.accepted,
    refused: gate.turnedAway + httpGate.turnedAway,
    wire: wire.name,
  }),
  metrics: async () => {
    const [open, underway] = [http.connections, http.road.active]
    const requests = httpRecords.requests + underway
    return [...metrics.snapshot(), ...httpNumbers({ open, accepted: httpGate.accepted, underway, requests })]
  },
  reopen: async () => {
    log.reopen()
    records.reopen()
    httpRecords.reopen()
    host.outputs.reopen()
    return null
  },
  drain: async (order) => {
    await drain(order.lingerMs)
    return null
  },
}

port.on('message', (order: ToWorker) => {
  if (order.type === 'changes') {
    compiler.apply(order.changes, order.revision)
    say({ type: 'applied', revision: order.revision })
  } else if (order.type === 'addresses') {
    compiler.setAddresses(order.changes)
  } else if (order.type === 'exposition') {
    publicApis.told(order.text)
  } else {
    const run = orders[order.type] as (order: ToWorker) => Promise<unknown>
    run(order).then(
      (value) => say({ type: 'answer', seq: order.seq, value }),
      (error) => {
        const reason = error instanceof Error ? error.message : String(error)
        log.error({ order: order.type, error }, 'an order of the main thread could not be done')
        say({ type: 'refusal', seq: order.seq, reason })
      },
    )
  }
})

compiler.setAddresses(boot.addresses)
compiler.apply(JSON.parse(boot.resources) as readonly NormalChange[], boot.revision)
say({ type: 'ready', failures: await listening.set(boot.listeners, 0) })
