/** What a head says about its connection: persistence, upgrade, and fields that end here by being named. [RFC 9110 §7.6.1] */
import type { HeaderList } from '#sdk'

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
    const option = part.trim().toLowerCase()
    if (option === 'close') close = true
    else if (option === 'keep-alive') keepAlive = true
    else if (option === 'upgrade') upgrade = true
    else if (!gone.has(option)) nominated.push(option)
  }
  return { keepAlive, close, upgrade, nominated }
}

/** Takes the named fields out, but those that others than the next hop need. */
export function dropNominated(headers: HeaderList, nominated: readonly string[]): void {
  for (const name of nominated) if (!kept.has(name)) headers.delete(name)
}

/** The protocol that an Upgrade field asks for, in lower case: `websocket` if it is among several, else the first. */
export function upgradeToken(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const lower = value.toLowerCase()
  if (!lower.includes(',')) return lower === '' ? undefined : lower
  const tokens = lower.split(',').map((token) => token.trim())
  return tokens.includes('websocket') ? 'websocket' : tokens.find((token) => token !== '')
}
