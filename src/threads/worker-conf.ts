/** From config.yaml to what the workers are told of it. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import type { BootConf } from '../config/boot-schema.ts'
import { millis } from '../config/units.ts'
import type { CertificateDefaults } from '../net/tls/certificates.ts'
import type { WorkerConf } from './messages.ts'

/** Descriptors that are nobody's link: logs, database, listeners, the APIs' connections, Node's own. */
const reservedDescriptors = 256

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

/** Where main and workers write the error log. */
export function errorLogDestination(home: string, conf: BootConf): string {
  return logDestination(home, conf.nginx_config.error_log)
}

/** Throws when the file of trusted authorities cannot be read. */
export function workerConf(home: string, conf: BootConf): WorkerConf {
  const { apisix, nginx_config: nginx, sluice } = conf
  const descriptors = descriptorLimit()
  const share =
    descriptors === undefined ? Number.POSITIVE_INFINITY : (descriptors - reservedDescriptors) / workerCount(conf)
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
    wire: sluice.wire,
    reusePort: workerCount(conf) > 1 || apisix.enable_reuseport,
    backlog: sluice.backlog,
    keepAliveMs: millis(sluice.tcp_keepalive),
    handshakeMs: millis(sluice.limits.tls_handshake_timeout),
    helloMs: millis(sluice.limits.hello_timeout),
    udpIdleMs: millis(sluice.udp_idle_timeout),
    udpSessions: sluice.limits.udp_sessions,
    maxLinks: Math.max(2, Math.floor(Math.min(nginx.event.worker_connections, share))),
    metricSeries: sluice.limits.metric_series,
    fallbackSni: apisix.ssl.fallback_sni,
    tlsProtocols: apisix.ssl.ssl_protocols.trim().split(/\s+/),
    tlsCiphers: apisix.ssl.ssl_ciphers,
    sessionTickets: apisix.ssl.ssl_session_tickets,
    trusted: trusted === 'system' ? undefined : readFileSync(resolve(home, trusted), 'utf8'),
    streamPlugins: conf.stream_plugins,
    extraPlugins: sluice.extra_plugins.map((file) => resolve(home, file)),
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
