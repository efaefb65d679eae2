/**
 * Addresses as a link shows them: numeric ones, and `unix:` with a path. It resolves nothing: names were turned into addresses
 * long before.
 */
const mapped = '::ffff:'
const unix = 'unix:'

/** How a Unix socket without a name is shown, as most clients' are; nginx does the same. */
export const namelessUnix: string = unix

/** The path of `unix:` and a path, which may be empty; undefined for every other address. */
export function unixPath(address: string): string | undefined {
  return address.startsWith(unix) ? address.slice(unix.length) : undefined
}

/** An address and port as errors and logs show them. */
export function shownPlace(host: string, port: number): string {
  if (unixPath(host) !== undefined) return host
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Without a zone, and an IPv4-mapped IPv6 address as the IPv4 address that it stands for. Empty for undefined. */
export function shownAddress(address: string | undefined): string {
  if (address === undefined) return ''
  if (unixPath(address) !== undefined) return address
  if (address.startsWith(mapped) && address.includes('.')) return address.slice(mapped.length)
  const zone = address.indexOf('%')
  return zone === -1 ? address : address.slice(0, zone)
}

/** True for the text of an IPv6 address; the text is known to be a numeric address. */
export function isV6(address: string): boolean {
  return address.includes(':')
}
