/** The entries of `apisix.node_listen` and `apisix.ssl.listen` written out. Nothing is opened here. */
import type { HttpListenEntry } from './boot-apisix.ts'
import type { BootConf } from './boot-schema.ts'
import { systemHasIpv6 } from './stream-listeners.ts'

export interface HttpListener {
  /** An IPv4 or IPv6 address without brackets; `::` listens on IPv4 as well. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly tls: boolean
  /** What the user wrote it in: `apisix.node_listen[0]`. */
  readonly path: string
}

/** Whether this instance serves HTTP, and streams: `apisix.proxy_mode`. */
export const servesHttp = (conf: BootConf): boolean => conf.apisix.proxy_mode !== 'stream'
export const servesStreams = (conf: BootConf): boolean => conf.apisix.proxy_mode !== 'http'

/**
 * All HTTP listeners that the boot file asks for; none where `proxy_mode` is `stream`. Entries without an address listen on all
 * of IPv4 and, with `apisix.enable_ipv6` on a system that has IPv6, on all of IPv6 by the same socket.
 */
export function httpListeners(conf: BootConf, { ipv6 = systemHasIpv6() } = {}): readonly HttpListener[] {
  if (!servesHttp(conf)) return []
  const { node_listen, ssl, enable_ipv6 } = conf.apisix
  const anywhere = enable_ipv6 && ipv6 ? '::' : '0.0.0.0'
  const listeners: HttpListener[] = []
  const add = (entry: number | HttpListenEntry, tls: boolean, path: string): void => {
    const { ip, port } = typeof entry === 'number' ? { ip: undefined, port: entry } : entry
    const host = ip === undefined ? anywhere : ip.replace(/^\[(.*)\]$/, '$1')
    // The same address twice is one socket, as in nginx.
    if (port !== 0 && listeners.some((one) => one.host === host && one.port === port)) return
    listeners.push({ host, port, tls, path })
  }
  if (typeof node_listen === 'number') add(node_listen, false, 'apisix.node_listen')
  else for (const [index, entry] of node_listen.entries()) add(entry, false, `apisix.node_listen[${index}]`)
  if (ssl.enable) for (const [index, entry] of ssl.listen.entries()) add(entry, true, `apisix.ssl.listen[${index}]`)
  return listeners
}
