/**
 * The entries of `apisix.stream_proxy` written out: one listener per transport, address and port. Nothing is opened here.
 */
import { networkInterfaces } from 'node:os'
import type { ListenEntry } from './boot-apisix.ts'
import type { BootConf } from './boot-schema.ts'

export interface StreamListener {
  readonly transport: 'tcp' | 'udp'
  /** An IPv4 or IPv6 address without brackets; `::` listens on IPv4 as well. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** TLS is terminated here, with certificates chosen by server name. */
  readonly tls: boolean
  /** What the user wrote it in: `apisix.stream_proxy.tcp[0]`. */
  readonly path: string
}

export interface PortRange {
  readonly from: number
  readonly to: number
}

/** Where an entry is written wrongly. The caller adds file and line. */
export class ListenError extends Error {
  readonly path: string
  constructor(path: string, reason: string) {
    super(reason)
    this.name = 'ListenError'
    this.path = path
  }
}

/**
 * All listeners of streams that the boot file asks for, ranges written out; none where `apisix.proxy_mode` is `http`. Entries without an address listen on all of IPv4 and,
 * with `apisix.enable_ipv6` on a system that has IPv6, on all of IPv6 by the same socket. Throws ListenError; never for
 * a configuration that `loadBootConf` returned.
 */
export function streamListeners(conf: BootConf, { ipv6 = systemHasIpv6() } = {}): readonly StreamListener[] {
  if (conf.apisix.proxy_mode === 'http') return []
  const anywhere = conf.apisix.enable_ipv6 && ipv6 ? '::' : '0.0.0.0'
  const { tcp, udp } = conf.apisix.stream_proxy
  return [
    ...tcp.flatMap((entry, index) => expand(entry, 'tcp', `apisix.stream_proxy.tcp[${index}]`, anywhere)),
    ...udp.flatMap((entry, index) => expand(entry, 'udp', `apisix.stream_proxy.udp[${index}]`, anywhere)),
  ]
}

/** The ports of `sluice.stream_ports`, as ranges. */
export function streamPortRanges(conf: BootConf): readonly PortRange[] {
  return conf.sluice.stream_ports.map((each, index) => portRange(String(each), `sluice.stream_ports[${index}]`))
}

/** Whether it is an IPv4 or IPv6 address (without brackets) and not a name. */
export function isAddress(host: string): boolean {
  if (host.includes(':')) return URL.canParse(`http://[${host}]/`)
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split('.').every((part) => Number(part) <= 255)
}

/** Whether any interface, the loopback included, has an IPv6 address. */
export function systemHasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some((each) => each.family === 'IPv6'))
}

function expand(
  entry: number | string | ListenEntry,
  transport: 'tcp' | 'udp',
  path: string,
  anywhere: string,
): StreamListener[] {
  const tls = typeof entry === 'object' && entry.tls
  const { host, ports } = address(String(typeof entry === 'object' ? entry.addr : entry), path)
  const { from, to } = portRange(ports, path)
  return Array.from({ length: to - from + 1 }, (_, i) => ({
    transport,
    host: host ?? anywhere,
    port: from + i,
    tls,
    path,
  }))
}

function address(written: string, path: string): { host: string | undefined; ports: string } {
  if (written === '') throw new ListenError(path, 'addr is required')
  const match = /^(?:\[([0-9a-fA-F:.]+)\]:|([^:[\]]+):)?([^:]+)$/.exec(written.trim())
  if (match === null) throw new ListenError(path, `expected a port, address:port or [address]:port, got ${written}`)
  const host = match[1] ?? match[2]
  return { host: host === '*' ? undefined : host, ports: match[3] ?? '' }
}

function portRange(written: string, path: string): PortRange {
  const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5}))?\s*$/.exec(written)
  const from = Number(match?.[1])
  const to = Number(match?.[2] ?? match?.[1])
  if (match === null || to > 65_535) throw new ListenError(path, `expected a port or a range of ports, got ${written}`)
  if (from > to) throw new ListenError(path, `the range ${written} ends before it begins`)
  return { from, to }
}
