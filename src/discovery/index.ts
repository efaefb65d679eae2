/** What turns names into addresses of endpoints. Each source has a folder or file here. */
export { DnsResolver, type DnsResolverOptions, type OnAddress } from './dns/dns-resolver.ts'
