/** What a head says about its connection: persistence, upgrade, and fields that end here by being named. [RFC 9110 §7.6.1] */
import type { HeaderList } from '#sdk'
import { trimmed } from './octets.ts'

export interface ConnectionOptions {
  readonly keepAlive: boolean
  readonly close: boolean
  readonly upgrade: boolean
  /** Further names, in lower case: their fields go no further. */
  readonly nominated: readonly string[]
}

const none: readonly string[] = []
const persistent: ConnectionOptions = { keepAlive: true, close: false, upgrade: false, nominated: none }
const closing: ConnectionOptions = { keepAlive: false, close: true, upgrade: false, nominated: none }
const silent: ConnectionOptions = { keepAlive: false, close: false, upgrade: false, nominated: none }

/** Fields that no client may take away from those behind us by naming them: routing, framing, identity. */
const kept = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'date',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
])
/** Gone from every list already. */
const gone = new Set(['te', 'transfer-encoding', 'keep-alive', 'proxy-connection', 'connection', 'expect', ''])

/** Of the value of Connection, all its fields joined; undefined: there was none. */
export function connectionOptions(value: string | undefined): ConnectionOptions {
  if (value === undefined) return silent
  if (value === 'keep-alive' || value === 'Keep-Alive') return persistent
  if (value === 'close') return closing
  let [keepAlive, close, upgrade] = [false, false, false]
  const nominated: string[] = []
  for (const part of value.split(',')) {
    const option = trimmed(part).toLowerCase()
    if (option === 'close') close = true
    else if (option === 'keep-alive') keepAlive = true
    else if (option === 'upgrade') upgrade = true
    else if (!gone.has(option)) nominated.push(option)
  }
  return { keepAlive, close, upgrade, nominated }
}

/** Takes the named fields out, but those that others than the next hop need. */
export function dropNominated(headers: HeaderList, nominated: readonly string[]): void {
  // Over the fields, not over the names, of which a line may hold thousands.
  const named = new Set(nominated)
  for (let index = headers.size - 1; index >= 0; index -= 1) {
    const lower = index < headers.size ? headers.lowerAt(index) : ''
    if (named.has(lower) && !kept.has(lower)) headers.delete(lower)
  }
}

const protocol = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:\/[!#$%&'*+\-.^_`|~0-9a-z]+)?$/

/** The protocol that an Upgrade field asks for, in lower case: `websocket` if it is among several, else the first. */
export function upgradeToken(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const lower = value.toLowerCase()
  const tokens = lower.split(',').map(trimmed)
  return tokens.includes('websocket') ? 'websocket' : tokens.find((token) => protocol.test(token))
}
