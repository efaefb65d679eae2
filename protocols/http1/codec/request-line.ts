/** The first line of a request: `method SP target SP HTTP/1.x`, each part in its one form. [RFC 9112 §3] */
import { CodecError } from './codec-error.ts'
import { isAuthority } from './host-name.ts'
import { isTokenText } from './octets.ts'

export interface RequestLine {
  readonly method: string
  readonly target: string
  readonly form: 'origin' | 'absolute' | 'authority' | 'asterisk'
  /** Path and query; `*`; empty for CONNECT. */
  readonly uri: string
  /** Host and port that the target names; empty: it names none. */
  readonly authority: string
  /** 10 or 11. */
  readonly version: number
}

const absolute = /^https?:\/\/([^/?]*)(.*)$/i

/** Of the line without its end, visible ASCII and blanks. Throws CodecError: 400, or 505 at another version. */
export function readRequestLine(line: string): RequestLine {
  const methodEnd = line.indexOf(' ')
  const targetEnd = line.lastIndexOf(' ')
  if (methodEnd === -1 || methodEnd === targetEnd) throw new CodecError(400, 'a request line without its three parts')
  const version = versionOf(line, targetEnd + 1)
  const method = methodOf(line, methodEnd)
  const target = line.slice(methodEnd + 1, targetEnd)
  if (target === '' || target.includes(' ')) throw new CodecError(400, 'a request line with blanks out of place')
  // A fragment is never sent; who is behind us may cut it off. [RFC 9112 §3.2]
  if (target.includes('#')) throw new CodecError(400, 'a request target with a fragment')
  if (target.charCodeAt(0) === 0x2f && method !== 'CONNECT') {
    return { method, target, form: 'origin', uri: target, authority: '', version }
  }
  return otherForm(method, target, version)
}

function otherForm(method: string, target: string, version: number): RequestLine {
  if (method === 'CONNECT') {
    if (!isAuthority(target) || !/:[0-9]+$/.test(target)) throw new CodecError(400, 'CONNECT to no host and port')
    return { method, target, form: 'authority', uri: '', authority: target, version }
  }
  if (target === '*') {
    if (method !== 'OPTIONS') throw new CodecError(400, `the target * with ${method}`)
    return { method, target, form: 'asterisk', uri: '*', authority: '', version }
  }
  const [, authority = '', rest = ''] = absolute.exec(target) ?? []
  if (!isAuthority(authority)) throw new CodecError(400, 'a request target in none of its forms')
  // OPTIONS without any path asks about the server. [RFC 9112 §3.2.4]
  const uri = rest.charCodeAt(0) === 0x2f ? rest : rest === '' && method === 'OPTIONS' ? '*' : `/${rest}`
  return { method, target, form: 'absolute', uri, authority, version }
}

/** `HTTP/1.0` and `HTTP/1.1`; other versions that are written as one are 505. [RFC 9110 §15.6.6] */
function versionOf(line: string, at: number): number {
  if (line.length - at === 8 && line.startsWith('HTTP/1.', at)) {
    const minor = line.charCodeAt(at + 7)
    if (minor === 0x31) return 11
    if (minor === 0x30) return 10
  }
  if (/^HTTP\/[0-9]\.[0-9]$/.test(line.slice(at))) throw new CodecError(505, 'a version other than 1.0 and 1.1')
  throw new CodecError(400, 'a request line without a version')
}

function methodOf(line: string, end: number): string {
  if (end === 3 && line.startsWith('GET')) return 'GET'
  if (end === 4 && line.startsWith('POST')) return 'POST'
  const method = line.slice(0, end)
  if (!isTokenText(method)) throw new CodecError(400, 'a method that is no token')
  return method
}
