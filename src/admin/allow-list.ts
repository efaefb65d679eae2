/** Which addresses may reach the Admin API at all. */
import { IpSet } from '../base/ip-set.ts'

/** `entries` are addresses and CIDR blocks; undefined lets everyone in. Throws on an entry that is neither. */
export function createAllowList(entries: readonly string[] | undefined): (address: string) => boolean {
  if (entries === undefined) return () => true
  const allowed = new IpSet(entries)
  return (address) => allowed.has(plainAddress(address))
}

/** A dual-stack listener shows IPv4 callers as `::ffff:127.0.0.1`. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address
}
