/** The resolver of upstream names, as config.yaml asks for it. */
import type { BootConf } from '../config/boot-schema.ts'
import { DnsResolver } from '../discovery/dns/dns-resolver.ts'
import type { Log } from '../observability/log.ts'
import type { Resolver } from './name-watch.ts'

/** `close` ends every look-up. Throws for a server in `apisix.dns_resolver` that is no address. */
export function createResolver({ apisix }: BootConf, log: Log): { resolver: Resolver; close: () => void } {
  const dns = new DnsResolver({
    servers: apisix.dns_resolver,
    validS: apisix.dns_resolver_valid,
    timeoutMs: apisix.resolver_timeout * 1000,
    ipv6: apisix.enable_ipv6,
    search: apisix.enable_resolv_search_opt,
    log,
  })
  return { resolver: dns, close: () => dns.close() }
}
