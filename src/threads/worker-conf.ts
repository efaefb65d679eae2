/** From config.yaml to what the workers are told of it. */
import { X509Certificate } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { availableParallelism, platform } from 'node:os'
import { dirname, resolve } from 'node:path'
import { IpSet } from '../base/ip-set.ts'
import type { BootConf } from '../config/boot-schema.ts'
import { httpListeners } from '../config/http-listeners.ts'
import { bytes, millis } from '../config/units.ts'
import { certificatesIn } from '../net/tls/authorities.ts'
import type { CertificateDefaults } from '../net/tls/certificates.ts'
import { checkCiphers } from '../net/tls/check-ciphers.ts'
import { chooseWire, type WireChoice } from '../net/wires.ts'
import type { HttpConf, WorkerConf } from './messages.ts'

/** Descriptors that are nobody's link: logs, database, listeners, the APIs' connections, Node's own. */
const reservedDescriptors = 256

/** Three weeks. */
const endlessMs = 21 * 24 * 3600 * 1000

/** How many traffic threads the configuration asks for. */
export function workerCount(conf: BootConf): number {
  if (conf.apisix.enable_dev_mode) return 1
  const asked = conf.nginx_config.worker_processes
  return asked === 'auto' ? availableParallelism() : asked
}

/** The limit of open descriptors of this process; undefined where the system does not tell. */
export function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

/** `stderr` and `stdout` stay; `/dev/stderr` means the same; a path starts from the home directory. */
function logDestination(home: string, path: string): string {
  if (path === '/dev/stderr' || path === 'stderr') return 'stderr'
  if (path === '/dev/stdout' || path === 'stdout') return 'stdout'
  return path === 'off' || path === '/dev/null' ? 'off' : resolve(home, path)
}

/**
 * How long sessions may go on when their listener, their worker or the gateway ends. As in nginx, 0 sets no limit; what
 * stands for it is within what timers can count.
 */
export function lingerMs(conf: BootConf): number {
  const ms = millis(conf.nginx_config.worker_shutdown_timeout)
  return ms === 0 ? endlessMs : Math.min(ms, endlessMs)
}

/** Where main and workers write the error log. */
export function errorLogDestination(home: string, conf: BootConf): string {
  return logDestination(home, conf.nginx_config.error_log)
}

/** Throws when the file of trusted authorities cannot be read. */
export function workerConf(home: string, conf: BootConf, pluginGeneration = 0): WorkerConf {
  const { apisix, nginx_config: nginx, sluice } = conf
  const trusted = apisix.ssl.ssl_trusted_certificate
  return {
    home,
    errorLog: errorLogDestination(home, conf),
    errorLogLevel: nginx.error_log_level,
    accessLog: nginx.stream.enable_access_log
      ? {
          path: logDestination(home, nginx.stream.access_log),
          format: nginx.stream.access_log_format,
          escape: nginx.stream.access_log_format_escape,
        }
      : undefined,
    // Always, where the system can: a worker beside the first, or the successor of a single one, must be able to join.
    reusePort: platform() === 'linux' || workerCount(conf) > 1,
    backlog: sluice.backlog,
    keepAliveMs: millis(sluice.tcp_keepalive),
    handshakeMs: millis(sluice.limits.tls_handshake_timeout),
    helloMs: millis(sluice.limits.hello_timeout),
    udpIdleMs: millis(sluice.udp_idle_timeout),
    udpSessions: sluice.limits.udp_sessions,
    ...linkLimit(nginx.event.worker_connections, workerCount(conf)),
    metricSeries: sluice.limits.metric_series,
    consumerChains: sluice.limits.consumer_chains,
    fallbackSni: apisix.ssl.fallback_sni,
    tlsProtocols: apisix.ssl.ssl_protocols.trim().split(/\s+/),
    tlsCiphers: apisix.ssl.ssl_ciphers,
    sessionTickets: apisix.ssl.ssl_session_tickets,
    trusted: trusted === 'system' ? undefined : readAuthorities(resolve(home, trusted)),
    plugins: conf.plugins,
    streamPlugins: conf.stream_plugins,
    pluginAttributes: pluginAttributes(conf),
    http: httpConf(home, conf),
    extraPlugins: sluice.extra_plugins.map((file) => resolve(home, file)),
    pluginGeneration,
  }
}

/** Those of config.yaml, and for `redirect` the ports that it may send clients to. */
function pluginAttributes(conf: BootConf): Readonly<Record<string, unknown>> {
  const ports = httpListeners(conf).filter(({ tls }) => tls)
  const redirect = {
    https_ports: ports.map(({ port }) => port),
    ...(conf.plugin_attr['redirect'] as object | undefined),
  }
  return { ...conf.plugin_attr, redirect }
}

function httpConf(home: string, conf: BootConf): HttpConf {
  const { apisix, sluice } = conf
  const { http } = conf.nginx_config
  const { limits } = sluice
  return {
    router: apisix.router.http,
    deleteUriTailSlash: apisix.delete_uri_tail_slash,
    normalizeUriLikeServlet: apisix.normalize_uri_like_servlet,
    matchUriEncodedSlash: apisix.match_uri_encoded_slash,
    accessLog: http.enable_access_log
      ? {
          path: logDestination(home, http.access_log),
          format: http.access_log_format,
          escape: http.access_log_format_escape,
          bufferBytes: http.access_log_buffer,
        }
      : undefined,
    headerMs: millis(http.client_header_timeout),
    bodyMs: millis(http.client_body_timeout),
    idleMs: millis(http.keepalive_timeout),
    sendMs: millis(http.send_timeout),
    maxLineBytes: bytes(limits.request_line),
    maxHeadBytes: bytes(limits.request_head),
    maxHeaders: limits.request_fields,
    maxBodyBytes: bytes(http.client_max_body_size),
    maxRequests: limits.connection_requests,
    memoryBodyBytes: bytes(limits.body_memory),
    spillFolder: resolve(home, sluice.temporary),
    underscores: isOn(http.underscores_in_headers),
    pool: {
      size: http.upstream.keepalive,
      idleMs: millis(http.upstream.keepalive_timeout),
      requests: http.upstream.keepalive_requests,
    },
    trustedAddresses: apisix.trusted_addresses,
    server: apisix.enable_server_tokens ? 'APISIX/3.18.0' : 'APISIX',
    showUpstreamStatus: apisix.show_upstream_status_in_response_header,
    sendServerName: http.proxy_ssl_server_name,
    maxReadBodyBytes: apisix.max_post_args_readable_size * 1024 * 1024 || Number.MAX_SAFE_INTEGER,
    graphqlMaxBytes: conf.graphql.max_size,
    charset: http.charset === 'off' ? '' : http.charset,
    realIp: {
      header: http.real_ip_header,
      recursive: isOn(http.real_ip_recursive),
      from: http.real_ip_from,
    },
  }
}

/** nginx's flags, which YAML makes booleans of when they are not quoted. */
const isOn = (flag: boolean | string): boolean => flag === true || flag === 'on'

/** Throws with the key of what would fail in every worker: log files that cannot be opened, ciphers that there are not. */
export function checkWorkerConf(conf: WorkerConf): void {
  mustOpen('nginx_config.error_log', conf.errorLog)
  if (conf.accessLog !== undefined) mustOpen('nginx_config.stream.access_log', conf.accessLog.path)
  if (conf.http.accessLog !== undefined) mustOpen('nginx_config.http.access_log', conf.http.accessLog.path)
  checkAddresses(
    'nginx_config.http.real_ip_from',
    conf.http.realIp.from.filter((entry) => entry !== 'unix:'),
  )
  checkAddresses('apisix.trusted_addresses', conf.http.trustedAddresses ?? [])
  try {
    checkCiphers(conf.tlsCiphers)
  } catch (error) {
    throw new Error(`apisix.ssl.ssl_ciphers: ${(error as Error).message}`, { cause: error })
  }
}

/** Throws with the key when the wire that is asked for by name cannot be had here. */
export function configuredWire(conf: BootConf): WireChoice {
  try {
    return chooseWire(conf.sluice.wire)
  } catch (error) {
    throw new Error(`sluice.wire: ${(error as Error).message}`, { cause: error })
  }
}

function checkAddresses(key: string, entries: readonly string[]): void {
  try {
    new IpSet(entries)
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`, { cause: error })
  }
}

function mustOpen(key: string, file: string): void {
  if (file === 'stderr' || file === 'stdout' || file === 'off') return
  try {
    mkdirSync(dirname(file), { recursive: true })
    closeSync(openSync(file, 'a', 0o640))
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`, { cause: error })
  }
}

/** What one worker may hold, and which of the two limits says so. */
function linkLimit(connections: number, workers: number): Pick<WorkerConf, 'maxLinks' | 'maxLinksBy'> {
  const descriptors = descriptorLimit() ?? Number.POSITIVE_INFINITY
  const share = Math.floor((descriptors - reservedDescriptors) / workers)
  if (connections <= share)
    return { maxLinks: Math.max(2, connections), maxLinksBy: 'nginx_config.event.worker_connections' }
  return { maxLinks: Math.max(2, share), maxLinksBy: `the ${descriptors} open files that the process may have` }
}

function readAuthorities(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8')
    // One that is broken would fail in every worker, long after the start.
    for (const each of certificatesIn(pem)) void new X509Certificate(each)
    return pem
  } catch (error) {
    throw new Error(`apisix.ssl.ssl_trusted_certificate: ${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** What certificates that say nothing of their own are served with. */
export function certificateDefaults(conf: WorkerConf, ticketSecret: Uint8Array): CertificateDefaults {
  return {
    protocols: conf.tlsProtocols,
    ciphers: conf.tlsCiphers,
    sessionTickets: conf.sessionTickets,
    ticketSecret,
  }
}
