/**
 * Schemas of host names and of client and server addresses. The pattern of an IPv6 block is APISIX's loose one: the
 * real prefix is checked apart, by `addressFault`.
 */
import { IpSet } from '../base/ip-set.ts'
import type { JsonSchema } from '../base/json.ts'

/** A `*` may stand only first, alone or as the first label. */
export const hostPattern = '^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$'
export const hostSchema: JsonSchema = { type: 'string', pattern: hostPattern }
export const hostsSchema: JsonSchema = { type: 'array', items: hostSchema, minItems: 1, uniqueItems: true }

const ipv4Part = '([0-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])'
const ipv4 = Array(4).fill(ipv4Part).join('\\.')
const ipv6 = '([a-fA-F0-9]{0,4}:){1,8}(:[a-fA-F0-9]{0,4}){0,8}([a-fA-F0-9]{0,4})?'

export const addressSchema: JsonSchema = {
  type: 'string',
  anyOf: [
    { title: 'IPv4', type: 'string', format: 'ipv4' },
    { title: 'IPv4/CIDR', type: 'string', pattern: `^${ipv4}/([12]?[0-9]|3[0-2])$` },
    { title: 'IPv6', type: 'string', format: 'ipv6' },
    { title: 'IPv6/CIDR', type: 'string', pattern: `^${ipv6}/[0-9]{1,3}$` },
  ],
}
export const addressesSchema: JsonSchema = { type: 'array', items: addressSchema, minItems: 1, uniqueItems: true }

/** What the schema's patterns let through although no matcher can be built from it. */
export function addressFault(addresses: readonly string[]): string | undefined {
  try {
    new IpSet(addresses)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** As names are compared: in lower case, without the dot that may end a full name. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.length > 1 && lower.endsWith('.') ? lower.slice(0, -1) : lower
}
