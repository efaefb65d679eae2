/**
 * Numeric addresses as a link shows them. It resolves nothing: names were turned into addresses long before.
 */
const mapped = '::ffff:'

/** Without a zone, and an IPv4-mapped IPv6 address as the IPv4 address that it stands for. Empty for undefined. */
export function shownAddress(address: string | undefined): string {
  if (address === undefined) return ''
  if (address.startsWith(mapped) && address.includes('.')) return address.slice(mapped.length)
  const zone = address.indexOf('%')
  return zone === -1 ? address : address.slice(0, zone)
}

/** True for the text of an IPv6 address; the text is known to be a numeric address. */
export function isV6(address: string): boolean {
  return address.includes(':')
}
