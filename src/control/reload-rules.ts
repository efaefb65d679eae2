/** What of config.yaml a reload cannot change: named, so that nobody waits for it to take effect. */
import type { BootConf } from '../config/boot-schema.ts'

const fixed: Readonly<Record<string, (conf: BootConf) => unknown>> = {
  'deployment.role': (conf) => conf.deployment.role,
  'deployment.role_traditional.config_provider': (conf) => conf.deployment.role_traditional,
  'deployment.role_data_plane.config_provider': (conf) => conf.deployment.role_data_plane,
  'deployment.etcd': (conf) => conf.deployment.etcd,
  'apisix.dns_resolver': (conf) => [
    conf.apisix.dns_resolver,
    conf.apisix.dns_resolver_valid,
    conf.apisix.resolver_timeout,
  ],
  'apisix.data_encryption': (conf) => conf.apisix.data_encryption,
  'apisix.ssl.ssl_trusted_certificate': (conf) => conf.apisix.ssl.ssl_trusted_certificate,
  'sluice.data': (conf) => conf.sluice.data,
  'sluice.wire': (conf) => conf.sluice.wire,
  'sluice.backlog': (conf) => conf.sluice.backlog,
  'sluice.tcp_keepalive': (conf) => conf.sluice.tcp_keepalive,
  'sluice.udp_idle_timeout': (conf) => conf.sluice.udp_idle_timeout,
  'sluice.limits.udp_sessions': (conf) => conf.sluice.limits.udp_sessions,
  'sluice.limits.history': (conf) => conf.sluice.limits.history,
  'sluice.limits.shared_counters': (conf) => conf.sluice.limits.shared_counters,
  'sluice.limits.shared_windows': (conf) => conf.sluice.limits.shared_windows,
  'sluice.limits.consumer_chains': (conf) => conf.sluice.limits.consumer_chains,
  'sluice.limits.metric_series': (conf) => conf.sluice.limits.metric_series,
}

/** One sentence for each key that differs and needs a restart. */
export function restartNeeded(before: BootConf, after: BootConf): readonly string[] {
  return Object.entries(fixed)
    .filter(([, read]) => JSON.stringify(read(before)) !== JSON.stringify(read(after)))
    .map(([key]) => `${key} has changed; that takes effect at the next start`)
}
