/**
 * Whether a text is an IPv4 or IPv6 address, or such a block in CIDR form. It answers yes or no only: turning an
 * address into numbers and testing membership is the business of address sets.
 */

const ipv4Part = /^(?:0|[1-9][0-9]{0,2})$/
const ipv6Part = /^[0-9a-fA-F]{1,4}$/

/** Dotted quad, no leading zeros, as inet_pton reads it. */
export function isIpv4(text: string): boolean {
  const parts = text.split('.')
  return parts.length === 4 && parts.every((part) => ipv4Part.test(part) && Number(part) <= 255)
}

/** RFC 4291 section 2.2: eight groups, one `::`, an IPv4 address in the last 32 bits. No zone, no brackets. */
export function isIpv6(text: string): boolean {
  const halves = text.split('::')
  if (halves.length > 2) return false
  const head = groupsIn(halves[0] ?? '', halves.length === 1)
  if (head === undefined) return false
  if (halves.length === 1) return head === 8
  const tail = groupsIn(halves[1] ?? '', true)
  return tail !== undefined && head + tail < 8
}

/** `address` or `address/prefix length`, of either family. */
export function isAddressOrBlock(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash < 0) return isIpv4(text) || isIpv6(text)
  const address = text.slice(0, slash)
  const length = text.slice(slash + 1)
  if (!/^[0-9]{1,3}$/.test(length)) return false
  return (isIpv4(address) && Number(length) <= 32) || (isIpv6(address) && Number(length) <= 128)
}

/** The number of 16-bit groups, or undefined if one is malformed. An IPv4 tail counts as two. */
function groupsIn(text: string, mayEndInIpv4: boolean): number | undefined {
  if (text === '') return 0
  const parts = text.split(':')
  const last = parts.at(-1) as string
  const quad = mayEndInIpv4 && last.includes('.')
  if (quad && !isIpv4(last)) return undefined
  const groups = quad ? parts.slice(0, -1) : parts
  return groups.every((part) => ipv6Part.test(part)) ? groups.length + (quad ? 2 : 0) : undefined
}
