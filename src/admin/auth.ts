/**
 * Who may call the Admin API: the key in a query argument, a header or a cookie, and what its role allows.
 * Keys never leave this file: neither into replies nor into the log.
 */
import { createHash, timingSafeEqual } from 'node:crypto'

export interface AdminKey {
  readonly name: string
  readonly key: string
  readonly role: 'admin' | 'viewer'
}

/** Where a caller may have put its key. Absent is not the same as empty: an empty key is a wrong one. */
export interface Credentials {
  readonly query: URLSearchParams
  readonly header: string | undefined
  readonly cookies: string | undefined
}

export type Verdict =
  | { readonly allowed: true; readonly name: string }
  | { readonly allowed: false; readonly description: string }

/** Checks a caller against the configured keys. The first place that holds a key decides, even if it is wrong. */
export class Gatekeeper {
  readonly #keys: readonly { readonly name: string; readonly role: AdminKey['role']; readonly digest: Buffer }[]

  constructor(keys: readonly AdminKey[]) {
    this.#keys = keys.map(({ name, key, role }) => ({ name, role, digest: digest(key) }))
  }

  verdict(method: string, credentials: Credentials): Verdict {
    const sent = credentials.query.get('api_key') ?? credentials.header ?? cookie(credentials.cookies, 'x_api_key')
    if (sent === undefined) return { allowed: false, description: 'missing apikey' }
    const offered = digest(sent)
    // equal-length digests: the comparison takes the same time wherever the texts differ
    const match = this.#keys.find((key) => timingSafeEqual(key.digest, offered))
    if (match === undefined) return { allowed: false, description: 'wrong apikey' }
    if (match.role === 'viewer' && method !== 'GET') {
      return { allowed: false, description: 'invalid method for role viewer' }
    }
    return { allowed: true, name: match.name }
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** The value of one cookie (RFC 6265, 4.2.1), unquoted. */
function cookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at < 0 || pair.slice(0, at).trim() !== name) continue
    const value = pair.slice(at + 1).trim()
    return value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value
  }
  return undefined
}
