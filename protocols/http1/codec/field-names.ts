/** Names that most fields have: found by their bytes, so that no string is made of them. Which of them mean something here. */

/** Names that the codec acts on; 0: any other. */
export const plain = 0
export const host = 1
export const contentLength = 2
export const transferEncoding = 3
export const connection = 4
export const upgrade = 5
export const expect = 6
export const te = 7
/** `Keep-Alive`, `Proxy-Connection`: of one connection, and of no use to us. */
export const hop = 8

export interface KnownName {
  readonly lower: string
  /** As the bytes have it; undefined: in a case of its own. */
  readonly written: string | undefined
  readonly role: number
}

const roles: Readonly<Record<string, number>> = {
  host,
  'content-length': contentLength,
  'transfer-encoding': transferEncoding,
  connection,
  upgrade,
  expect,
  te,
  'keep-alive': hop,
  'proxy-connection': hop,
}

const usualNames = `
Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Access-Control-Allow-Credentials
Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin Access-Control-Expose-Headers
Access-Control-Max-Age Access-Control-Request-Headers Access-Control-Request-Method Age Allow Apikey Authorization
Cache-Control Connection Content-Disposition Content-Encoding Content-Language Content-Length Content-Location
Content-Range Content-Security-Policy Content-Type Cookie DNT Date ETag Expect Expires Forwarded From Host If-Match
If-Modified-Since If-None-Match If-Range If-Unmodified-Since Keep-Alive Last-Modified Link Location Max-Forwards Origin
Pragma Priority Proxy-Authenticate Proxy-Authorization Proxy-Connection Range Referer Referrer-Policy Retry-After
Sec-CH-UA Sec-CH-UA-Mobile Sec-CH-UA-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User
Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version Server
Set-Cookie Strict-Transport-Security TE Traceparent Tracestate Trailer Transfer-Encoding Upgrade
Upgrade-Insecure-Requests User-Agent Vary Via WWW-Authenticate X-API-Key X-Content-Type-Options X-Forwarded-For
X-Forwarded-Host X-Forwarded-Port X-Forwarded-Proto X-Frame-Options X-Powered-By X-Real-IP X-Request-ID
X-Requested-With X-XSS-Protection
`

/** ASCII letters to lower case; every other byte of a token stays apart from the bytes of known names. */
const fold = 0x20
const slots = 1024

/** A slot for a name by its length, its first, middle and last byte. */
function slotOf(length: number, first: number, middle: number, last: number): number {
  return (length * 37 + (first | fold) * 5 + (middle | fold) * 129 + (last | fold) * 17) & (slots - 1)
}

/** A name in the three ways it may be written, with the bytes to compare. */
class Entry {
  readonly usual: KnownName
  readonly small: KnownName
  readonly other: KnownName
  readonly usualBytes: Uint8Array
  readonly smallBytes: Uint8Array

  constructor(usual: string) {
    const lower = usual.toLowerCase()
    const role = roles[lower] ?? plain
    this.usual = { lower, written: usual, role }
    this.small = { lower, written: lower, role }
    this.other = { lower, written: undefined, role }
    this.usualBytes = Buffer.from(usual, 'latin1')
    this.smallBytes = Buffer.from(lower, 'latin1')
  }
}

const table: (readonly Entry[] | undefined)[] = new Array(slots).fill(undefined)
for (const name of usualNames.trim().split(/\s+/)) {
  const entry = new Entry(name)
  const bytes = entry.smallBytes
  const at = (index: number): number => bytes[index] as number
  const slot = slotOf(bytes.length, at(0), at(bytes.length >> 1), at(bytes.length - 1))
  table[slot] = [...(table[slot] ?? []), entry]
}

/** The known name at these bytes, which are a token; undefined: it is none of them. Case does not matter. */
export function knownName(bytes: Uint8Array, from: number, to: number): KnownName | undefined {
  const length = to - from
  const first = bytes[from] as number
  const middle = bytes[from + (length >> 1)] as number
  const entries = table[slotOf(length, first, middle, bytes[to - 1] as number)]
  if (entries === undefined) return undefined
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] as Entry
    if (entry.smallBytes.length !== length) continue
    if (isWritten(entry.usualBytes, bytes, from)) return entry.usual
    if (isWritten(entry.smallBytes, bytes, from)) return entry.small
    if (isFolded(entry.smallBytes, bytes, from)) return entry.other
  }
  return undefined
}

function isWritten(name: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < name.length; index += 1) if (bytes[from + index] !== name[index]) return false
  return true
}

function isFolded(lower: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < lower.length; index += 1) {
    if (((bytes[from + index] as number) | fold) !== lower[index]) return false
  }
  return true
}
