/** The first line of a request: `method SP target SP HTTP/1.x`, each part in its one form. [RFC 9112 §3] */
import { CodecError } from './codec-error.ts'
import { hostOf } from './host-name.ts'

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

/** Of ` HTTP/1.1`. */
const versionLength = 9
const absolute = /^https?:\/\/([^/?]*)(.*)$/i

/**
 * Of the line that lies between the offsets in `text`: without its end, nothing but blanks and what targets may hold.
 * Throws CodecError: 400, or 505 at another version.
 */
export function readRequestLine(text: string, from: number, to: number): RequestLine {
  const methodEnd = text.indexOf(' ', from)
  const targetEnd = text.indexOf(' ', methodEnd + 1)
  const isWhole = methodEnd > from && targetEnd === to - versionLength && targetEnd > methodEnd + 1
  if (!isWhole || !text.startsWith('HTTP/1.', targetEnd + 1)) throw wrongLine(text.slice(from, to))
  const minor = text.charCodeAt(to - 1)
  if (minor !== 0x31 && minor !== 0x30) throw wrongLine(text.slice(from, to))
  const version = minor === 0x31 ? 11 : 10
  const method = methodOf(text, from, methodEnd)
  const target = text.slice(methodEnd + 1, targetEnd)
  if (target.charCodeAt(0) === 0x2f && method !== 'CONNECT') {
    return { method, target, form: 'origin', uri: target, authority: '', version }
  }
  return otherForm(method, target, version)
}

function otherForm(method: string, target: string, version: number): RequestLine {
  if (method === 'CONNECT') {
    if (hostOf(target) === undefined || !/:[0-9]+$/.test(target))
      throw new CodecError(400, 'CONNECT to no host and port')
    return { method, target, form: 'authority', uri: '', authority: target, version }
  }
  if (target === '*') {
    if (method !== 'OPTIONS') throw new CodecError(400, `the target * with ${method}`)
    return { method, target, form: 'asterisk', uri: '*', authority: '', version }
  }
  const [, authority = '', rest = ''] = absolute.exec(target) ?? []
  if (hostOf(authority) === undefined) throw new CodecError(400, 'a request target in none of its forms')
  // OPTIONS without any path asks about the server. [RFC 9112 §3.2.4]
  const uri = rest.charCodeAt(0) === 0x2f ? rest : rest === '' && method === 'OPTIONS' ? '*' : `/${rest}`
  return { method, target, form: 'absolute', uri, authority, version }
}

/** Other versions that are written as one are 505, if the rest is right. [RFC 9110 §15.6.6] */
function wrongLine(line: string): CodecError {
  const parts = line.split(' ')
  if (parts.length !== 3 || parts.includes('')) return new CodecError(400, 'a request line that has not three parts')
  const isVersion = /^HTTP\/[0-9]\.[0-9]$/.test(parts[2] as string)
  if (isVersion) return new CodecError(505, 'a version other than 1.0 and 1.1')
  return new CodecError(400, 'a request line without a version')
}

function methodOf(text: string, from: number, end: number): string {
  const length = end - from
  if (length === 3 && text.startsWith('GET', from)) return 'GET'
  if (length === 4 && text.startsWith('POST', from)) return 'POST'
  const method = text.slice(from, end)
  // As nginx has it: others differ about the case of methods, so that no small letter passes.
  if (!/^[A-Z][A-Z0-9_-]*$/.test(method)) throw new CodecError(400, 'a method that is none')
  // It only ever opens HTTP/2, with that version. [RFC 9113 §11.6]
  if (method === 'PRI') throw new CodecError(400, 'the method PRI')
  return method
}
