/** From the value of an upstream to what traffic uses: addresses, timeouts, TLS, hash key. Throws on what cannot be. */
import type { SecureContext } from 'node:tls'
import { balancerOf } from '../balancer/index.ts'
import { isAddress } from '../base/ip-set.ts'
import { upstreamContext } from '../net/tls/upstream-context.ts'
import type { SslValue } from '../resources/ssl.ts'
import type { UpstreamValue } from '../resources/upstream.ts'
import type { Fleet, NodeAddress } from '../upstream/fleet.ts'
import { compileHashKey } from '../upstream/hash-key.ts'
import { type Timeouts, Upstream, type UpstreamTls } from '../upstream/upstream.ts'

/** nginx's stream defaults, for upstreams that set no `timeout`: a minute to connect, ten minutes of silence. */
const defaultTimeouts: Timeouts = { connectMs: 60_000, sendMs: 600_000, readMs: 600_000 }

export interface UpstreamSurroundings {
  /** The address a node's name stands for now; undefined: it does not resolve, and the node is left out. */
  readonly address: (host: string) => string | undefined
  readonly ssl: (id: string) => SslValue | undefined
  /** PEM of the authorities that upstream certificates are verified against; undefined: the system's. */
  readonly trusted: string | undefined
}

/** The schemes that a stream upstream may name; `http` is what an upstream has that names none. */
const schemes = new Set(['tcp', 'udp', 'tls', 'http'])

/** Compiles everything but the nodes, which `nodeAddresses` gives and the fleet keeps. */
export function compileUpstream(
  owner: string,
  value: UpstreamValue,
  fleet: Fleet,
  around: UpstreamSurroundings,
): Upstream {
  if (!schemes.has(value.scheme)) throw new Error(`scheme ${value.scheme} cannot carry a stream`)
  const balancer = balancerOf(value.type)
  if (balancer === undefined) throw new Error(`there is no balancer of type ${value.type}`)
  return new Upstream({
    owner,
    retries: value.retries,
    retryTimeoutMs: (value.retry_timeout ?? 0) * 1000,
    timeouts: value.timeout === undefined ? defaultTimeouts : timeoutsOf(value.timeout),
    tls: value.scheme === 'tls' ? compileTls(value, around) : undefined,
    fleet,
    hashKey: balancer.hashes ? compileHashKey(value) : undefined,
  })
}

function timeoutsOf(timeout: NonNullable<UpstreamValue['timeout']>): Timeouts {
  return { connectMs: timeout.connect * 1000, sendMs: timeout.send * 1000, readMs: timeout.read * 1000 }
}

/** The nodes that can be reached now: names resolved, nodes without a port left out (a stream has no default port). */
export function nodeAddresses(
  value: UpstreamValue,
  around: Pick<UpstreamSurroundings, 'address'>,
): readonly NodeAddress[] {
  const addresses: NodeAddress[] = []
  for (const node of value.nodes ?? []) {
    if (node.port === undefined) continue
    const literal = isAddress(node.host)
    const host = literal ? node.host : around.address(node.host)
    if (host === undefined) continue
    const { port, weight, priority } = node
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
  return { context, verify: tls?.verify ?? false, serverName }
}
