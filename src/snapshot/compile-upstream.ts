/** From the value of an upstream to what traffic uses: addresses, timeouts, TLS, hash key. Throws on what cannot be. */
import { createHash } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { balancerOf } from '../balancer/index.ts'
import { isAddress } from '../base/ip-set.ts'
import { upstreamContext } from '../net/tls/upstream-context.ts'
import type { SslValue } from '../resources/ssl.ts'
import type { UpstreamValue } from '../resources/upstream.ts'
import type { Fleet, NodeAddress } from '../upstream/fleet.ts'
import { compileHashKey } from '../upstream/hash-key.ts'
import type { PoolLimits } from '../upstream/http-pool.ts'
import { type PassHost, type Timeouts, Upstream, type UpstreamTls } from '../upstream/upstream.ts'

/** nginx's stream defaults, for upstreams that set no `timeout`: a minute to connect, ten minutes of silence. */
const defaultTimeouts: Timeouts = { connectMs: 60_000, sendMs: 600_000, readMs: 600_000 }

export interface UpstreamSurroundings {
  /** The address a node's name stands for now; undefined: it does not resolve, and the node is left out. */
  readonly address: (host: string) => string | undefined
  readonly ssl: (id: string) => SslValue | undefined
  /** PEM of the authorities that upstream certificates are verified against; undefined: the system's. */
  readonly trusted: string | undefined
}

/** nginx's defaults for HTTP: a minute for everything. */
const httpTimeouts: Timeouts = { connectMs: 60_000, sendMs: 60_000, readMs: 60_000 }

const schemes = new Set(['tcp', 'udp', 'tls', 'http', 'https'])
/** Where a node names no port. Streams have none to fall back on. */
const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** Compiles everything but the nodes, which `nodeAddresses` gives and the fleet keeps. */
export function compileUpstream(
  owner: string,
  value: UpstreamValue,
  fleet: Fleet,
  around: UpstreamSurroundings,
): Upstream {
  if (!schemes.has(value.scheme)) throw new Error(`scheme ${value.scheme} is not built in this version`)
  const balancer = balancerOf(value.type)
  if (balancer === undefined) throw new Error(`there is no balancer of type ${value.type}`)
  return new Upstream({
    owner,
    retries: value.retries,
    retryTimeoutMs: (value.retry_timeout ?? 0) * 1000,
    timeouts: value.timeout === undefined ? defaultTimeouts : timeoutsOf(value.timeout),
    httpTimeouts: value.timeout === undefined ? httpTimeouts : timeoutsOf(value.timeout),
    scheme: value.scheme,
    passHost: passHostOf(value),
    poolLimits: poolLimitsOf(value),
    tls: value.scheme === 'tls' || value.scheme === 'https' ? compileTls(value, around) : undefined,
    makeTls: () => compileTls(value, around),
    fleet,
    hashKey: balancer.hashes ? compileHashKey(value) : undefined,
  })
}

function passHostOf({ pass_host, upstream_host }: UpstreamValue): PassHost {
  if (pass_host === 'rewrite' && upstream_host !== undefined) return { by: 'rewrite', host: upstream_host }
  return pass_host === 'node' ? { by: 'node' } : { by: 'pass' }
}

function poolLimitsOf({ keepalive_pool: pool }: UpstreamValue): PoolLimits | undefined {
  return pool === undefined ? undefined : { size: pool.size, idleMs: pool.idle_timeout * 1000, requests: pool.requests }
}

export function timeoutsOf(timeout: NonNullable<UpstreamValue['timeout']>): Timeouts {
  return { connectMs: timeout.connect * 1000, sendMs: timeout.send * 1000, readMs: timeout.read * 1000 }
}

/** The nodes that can be reached now: names resolved; a node without a port has that of its scheme, or is left out. */
export function nodeAddresses(
  value: UpstreamValue,
  around: Pick<UpstreamSurroundings, 'address'>,
): readonly NodeAddress[] {
  const addresses: NodeAddress[] = []
  for (const node of value.nodes ?? []) {
    const port = node.port ?? defaultPorts[value.scheme]
    if (port === undefined) continue
    const literal = isAddress(node.host)
    const host = literal ? node.host : around.address(node.host)
    if (host === undefined) continue
    const { weight, priority } = node
    addresses.push({ host, port, weight, priority, domain: literal ? undefined : node.host })
  }
  return addresses
}

/** The names among the nodes that must be resolved. */
export function nodeNames(value: UpstreamValue): readonly string[] {
  return (value.nodes ?? []).map((node) => node.host).filter((host) => !isAddress(host))
}

function compileTls(value: UpstreamValue, around: UpstreamSurroundings): UpstreamTls {
  const tls = value.tls
  let client: { cert: string; key: string } | undefined
  if (tls?.client_cert_id !== undefined) {
    client = around.ssl(String(tls.client_cert_id))?.pairs[0]
    if (client === undefined) throw new Error(`the client certificate ssl ${tls.client_cert_id} does not exist`)
  } else if (tls?.client_cert !== undefined && tls.client_key !== undefined) {
    client = { cert: tls.client_cert, key: tls.client_key }
  }
  const context: SecureContext = upstreamContext({
    ...(around.trusted === undefined ? {} : { caPem: around.trusted }),
    ...(client === undefined ? {} : { clientCert: client.cert, clientKey: client.key }),
  })
  const serverName = value.pass_host === 'rewrite' ? value.upstream_host : undefined
  const verify = tls?.verify ?? false
  const identity = createHash('sha256')
    .update(`${verify}\n${client?.cert ?? ''}\n${around.trusted ?? ''}`)
    .digest('base64url')
  return { context, verify, serverName, identity }
}
