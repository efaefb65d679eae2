/**
 * A set of IP addresses and CIDR blocks that answers whether an address is in it. Addresses are numbers inside: IPv4 a
 * number, IPv6 a bigint, and an IPv4-mapped IPv6 address the IPv4 one that it stands for. It resolves no names.
 */

/** IPv4: 0 to 2³² − 1. IPv6: the 128 bits. */
export type Address = number | bigint

const mappedPrefix = 0xffffn << 32n
const low32 = 0xffffffffn

/** The address as a number; undefined when `text` is not one. No brackets, no zone, no leading zeros in IPv4. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseIpv4(text, 0)
  const bits = parseIpv6(text)
  if (bits === undefined) return undefined
  return bits >> 32n === mappedPrefix >> 32n ? Number(bits & low32) : bits
}

export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined
}

/** Dotted quad from `from` to the end of `text`. */
function parseIpv4(text: string, from: number): number | undefined {
  let address = 0
  let part = 0
  let digits = 0
  let dots = 0
  for (let index = from; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit === 0x2e) {
      if (digits === 0 || dots === 3) return undefined
      address = address * 256 + part
      part = 0
      digits = 0
      dots += 1
    } else {
      if (unit < 0x30 || unit > 0x39 || (digits > 0 && part === 0)) return undefined
      part = part * 10 + unit - 0x30
      digits += 1
      if (part > 255) return undefined
    }
  }
  return dots === 3 && digits > 0 ? address * 256 + part : undefined
}

const ipv6Group = /^[0-9a-fA-F]{1,4}$/

/** RFC 4291 section 2.2: eight groups, at most one `::` for one or more zero groups, dotted quad allowed at the end. */
function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] as string, halves.length === 1)
  const tail = halves.length === 1 ? [] : parseGroups(halves[1] as string, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  let bits = 0n
  for (const group of head) bits = (bits << 16n) | BigInt(group)
  bits <<= BigInt(16 * missing)
  for (const group of tail) bits = (bits << 16n) | BigInt(group)
  return bits
}

function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] as string
    if (ipv6Group.test(part)) {
      groups.push(Number.parseInt(part, 16))
    } else {
      const quad = last && index === parts.length - 1 ? parseIpv4(part, 0) : undefined
      if (quad === undefined) return undefined
      groups.push(quad >>> 16, quad & 0xffff)
    }
  }
  return groups
}

/** A block of addresses: those that agree with `address` in the first `length` bits. The other bits of `address` are 0. */
export interface Cidr {
  readonly address: Address
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. A single address is a block of full length. */
  readonly length: number
}

/** `address/length` or a single address; undefined when `text` is neither. Bits beyond the length are dropped. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) {
    const address = parseAddress(text)
    return address === undefined ? undefined : { address, length: fullLength(address) }
  }
  const digits = text.slice(slash + 1)
  if (!/^[0-9]{1,3}$/.test(digits)) return undefined
  const length = Number(digits)
  const base = text.slice(0, slash)
  if (!base.includes(':')) {
    const address = parseIpv4(base, 0)
    return address === undefined || length > 32 ? undefined : { address: maskAddress(address, length), length }
  }
  const bits = parseIpv6(base)
  if (bits === undefined || length > 128) return undefined
  if (length >= 96 && bits >> 32n === mappedPrefix >> 32n) {
    return { address: maskAddress(Number(bits & low32), length - 96), length: length - 96 }
  }
  return { address: maskAddress(bits, length), length }
}

/** The address with all but its first `length` bits 0. */
export function maskAddress(address: Address, length: number): Address {
  if (typeof address === 'number') return length === 0 ? 0 : (address & (-1 << (32 - length))) >>> 0
  const rest = BigInt(128 - length)
  return (address >> rest) << rest
}

function fullLength(address: Address): number {
  return typeof address === 'number' ? 32 : 128
}

/** The first and last address of a block, both of one family. */
interface Range<A extends Address> {
  readonly first: A
  readonly last: A
}

export class IpSet {
  /** Number of entries given, duplicates included. */
  readonly size: number
  readonly #exact: ReadonlySet<Address>
  readonly #ipv4: readonly Range<number>[]
  readonly #ipv6: readonly Range<bigint>[]

  /** Throws an Error `invalid ip address: <entry>` for an entry that is neither an address nor a block. */
  constructor(entries: readonly string[]) {
    const exact = new Set<Address>()
    const ipv4: Range<number>[] = []
    const ipv6: Range<bigint>[] = []
    for (const entry of entries) {
      const cidr = parseCidr(entry)
      if (cidr === undefined) throw new Error(`invalid ip address: ${entry}`)
      const { address: first, length } = cidr
      if (length === fullLength(first)) exact.add(first)
      else if (typeof first === 'number') ipv4.push({ first, last: first + 2 ** (32 - length) - 1 })
      else ipv6.push({ first, last: first + (1n << BigInt(128 - length)) - 1n })
    }
    this.size = entries.length
    this.#exact = exact
    this.#ipv4 = merge(ipv4)
    this.#ipv6 = merge(ipv6)
  }

  /** False also for what is no address. */
  has(address: string): boolean {
    if (this.size === 0) return false
    const parsed = parseAddress(address)
    return parsed !== undefined && this.hasParsed(parsed)
  }

  /** The same for an address that is asked about more than once. */
  hasParsed(address: Address): boolean {
    if (this.#exact.has(address)) return true
    return typeof address === 'number' ? covers(this.#ipv4, address) : covers(this.#ipv6, address)
  }
}

/** In ascending order and disjoint: CIDR blocks either nest or do not touch, so those inside others are dropped. */
function merge<A extends Address>(blocks: Range<A>[]): Range<A>[] {
  blocks.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : a.last > b.last ? -1 : 1))
  const merged: Range<A>[] = []
  for (const block of blocks) {
    const before = merged.at(-1)
    if (before === undefined || block.first > before.last) merged.push(block)
  }
  return merged
}

function covers<A extends Address>(blocks: readonly Range<A>[], address: A): boolean {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((blocks[middle] as Range<A>).first <= address) low = middle + 1
    else high = middle
  }
  return low > 0 && address <= (blocks[low - 1] as Range<A>).last
}
