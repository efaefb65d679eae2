/**
 * A soak of one wire over HTTP: a steady load by wrk that must not fail once, while routes, upstreams, certificates, plugins and
 * consumers change many times a second, and what each change changed is looked at. Says what was found.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { makeCa } from '../../test/support/certificates.ts'
import { rssMiB } from '../../test/support/rss.ts'
import { until } from '../../test/support/until.ts'
import { startHttpBackends } from './http-backends.ts'
import { type BodyCounts, exchangeBodies } from './http-bodies.ts'
import { type ChangeCounts, type MakeChanges, prepareChanges } from './http-changes.ts'
import { HttpClient } from './http-client.ts'
import { type HttpSoakGateway, poolsOf, startHttpSoakGateway } from './http-gateway.ts'
import { type LoadCounts, steadyLoad } from './http-load.ts'
import { globalRuleChanges, sharedPluginChanges, steadyPluginChanges } from './http-plugin-changes.ts'
import { routeChanges } from './http-route-changes.ts'
import { certificateChanges, consumerChanges } from './http-secret-changes.ts'
import { upstreamChanges } from './http-upstream-changes.ts'
import { httpVerdict } from './http-verdict.ts'
import type { MemorySample } from './memory-trend.ts'
import { moreOpen, openFiles } from './open-files.ts'

export interface HttpSoakOptions {
  readonly wire: string
  readonly minutes: number
  readonly seed: number
  /** Processors of the gateway, and of wrk and the backends. */
  readonly cpu: number
  readonly loadCpu: number
  readonly say: (line: string) => void
}

const [warmUpSeconds, sampleMs, tellMs] = [5, 2000, 30_000]
/** How long the gateway may take to have closed everything, kept connections to backends included. */
const closeMs = 90_000
/** Workers write their figures each second: those after this time are new. */
const writtenMs = 2500
const mostFailuresSaid = 100

/** Resolves with what must not have happened; nothing: the wire has passed. */
export async function httpSoak(options: HttpSoakOptions): Promise<readonly string[]> {
  const { wire, cpu, loadCpu, seed, say } = options
  const backends = await startHttpBackends(loadCpu)
  let running: HttpSoakGateway | undefined
  let client: HttpClient | undefined
  try {
    running = await startHttpSoakGateway(wire, cpu, backends)
    const { gateway } = running
    const ca = makeCa()
    client = new HttpClient(gateway.ports, ca.cert)
    const failures = { count: 0, first: [] as string[] }
    const failed = (what: string): void => {
      failures.count += 1
      if (failures.count > mostFailuresSaid) return
      failures.first.push(what)
      say(`FAILURE: ${what}`)
    }
    const lanes = {
      'routes a': routeChanges('a'),
      'routes b': routeChanges('b'),
      upstreams: upstreamChanges,
      certificates: certificateChanges(ca),
      'plugins of steady routes': steadyPluginChanges,
      'plugins that are shared': sharedPluginChanges,
      'global rules': globalRuleChanges,
      consumers: consumerChanges,
    }
    const makeChanges = await prepareChanges(lanes, { gateway, client, backends, seed, failed })
    const bodies = (signal: AbortSignal): Promise<BodyCounts> =>
      exchangeBodies({ client: client as HttpClient, backends, port: gateway.port('http'), seed, signal, failed })
    const addresses = { ...Object.fromEntries(backends.nodes), echo: backends.echo }
    return await run(options, { running, addresses, client, makeChanges, bodies, failed, failures })
  } finally {
    client?.close()
    await running?.stop()
    await backends.stop()
  }
}

interface Parts {
  readonly running: HttpSoakGateway
  /** Of the backends, for whoever reads what is left open. */
  readonly addresses: object
  readonly client: HttpClient
  readonly makeChanges: MakeChanges
  readonly bodies: (signal: AbortSignal) => Promise<BodyCounts>
  readonly failed: (what: string) => void
  readonly failures: { readonly count: number; readonly first: readonly string[] }
}

interface Traffic {
  readonly load: Readonly<Record<string, LoadCounts>>
  readonly changes: ChangeCounts
  readonly bodies: BodyCounts
}

async function run(options: HttpSoakOptions, parts: Parts): Promise<readonly string[]> {
  const { wire, minutes, say } = options
  const { running, client, failures } = parts
  const { gateway } = running
  say(`ports: ${JSON.stringify(gateway.ports)}, backends: ${JSON.stringify(parts.addresses)}`)
  // What is opened once and kept is there before descriptors are counted.
  await traffic(options, parts, warmUpSeconds)
  await atRest(running, client)
  await pause(writtenMs * 2)
  const before = openFiles(gateway.pid)
  const poolsBefore = poolsOf(running.figures())
  const from = performance.now()
  const samples: MemorySample[] = []
  const stop = new AbortController()
  const watching = watch(options, parts, samples, stop.signal)
  const outcome = await traffic(options, parts, minutes * 60).catch((error: Error) => error)
  const seconds = (performance.now() - from) / 1000
  stop.abort()
  await watching
  const early = outcome instanceof Error ? outcome.message : undefined
  const done = outcome instanceof Error ? nothing : outcome
  await atRest(running, client)
  const stillOpen = (): readonly string[] => moreOpen(before, openFiles(gateway.pid))
  await until(() => stillOpen().length === 0, { ms: closeMs }).catch(() => {})
  const leftOpen = stillOpen()
  await pause(writtenMs)
  const workers = running.figures()
  const { lines, violations } = httpVerdict({
    ...done,
    ...{ wire, seconds, looked: client.requests, failures, early, leftOpen, samples, workers, poolsBefore },
    pools: poolsOf(workers),
    status: await gateway.status().catch(() => undefined),
    log: await gateway.log(),
  })
  for (const line of lines) say(line)
  return violations
}

const nothing: Traffic = { load: {}, changes: {}, bodies: { requests: 0, bytes: 0, gone: 0 } }

/** Everything at once. Rejects when a part cannot go on; the others have ended then. */
async function traffic(
  { cpu: _, loadCpu, ...options }: HttpSoakOptions,
  { running, makeChanges, bodies, failed }: Parts,
  seconds: number,
): Promise<Traffic> {
  const stop = new AbortController()
  const { ports } = running.gateway
  const loading = steadyLoad({ ports, cpu: loadCpu, seconds, signal: stop.signal, failed })
  const ending = <T>(part: Promise<T>): Promise<T> => part.finally(() => stop.abort())
  const all = [ending(loading), ending(makeChanges(stop.signal)), ending(bodies(stop.signal))] as const
  const [load, changes, exchanged] = await Promise.allSettled(all)
  for (const one of [load, changes, exchanged]) {
    if (one.status === 'rejected') options.say(`a part of the soak could not go on: ${one.reason}`)
  }
  return { load: await all[0], changes: await all[1], bodies: await all[2] }
}

/** Closes the clients' kept connections, and waits until the gateway has no connection any more. */
async function atRest({ gateway }: HttpSoakGateway, client: HttpClient): Promise<void> {
  client.close()
  const isAtRest = async (): Promise<boolean> => (await gateway.status()).connections.active === 0
  await until(isAtRest, { ms: closeMs }).catch(() => {})
}

/** Until aborted. */
async function watch(
  { say }: HttpSoakOptions,
  { running, client, failures }: Parts,
  samples: MemorySample[],
  signal: AbortSignal,
): Promise<void> {
  const from = performance.now()
  let told = from
  while (!signal.aborted) {
    await pause(sampleMs, undefined, { signal }).catch(() => {})
    const mib = rssMiB(running.gateway.pid)
    const now = performance.now()
    if (mib === undefined || signal.aborted) return
    samples.push({ seconds: (now - from) / 1000, mib })
    if (now - told < tellMs) continue
    told = now
    const minutes = ((now - from) / 60_000).toFixed(1)
    say(`${minutes} min: ${client.requests} answers looked at, ${failures.count} failures, ${mib.toFixed(0)} MiB`)
  }
}
