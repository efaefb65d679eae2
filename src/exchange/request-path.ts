/**
 * The path of a request as routes match it, made of the target in nginx's way: percent-decoded, dot segments resolved,
 * repeated slashes merged. Also what `apisix.*` options make of it. It matches nothing and changes no request.
 */
import { isAscii, isUtf8 } from 'node:buffer'

export interface RequestPath {
  /** `$uri`. Bytes that are no UTF-8 stand as lone surrogates U+DC80–U+DCFF, which `encodePath` turns back. */
  readonly path: string
  /** What follows the first `?`, undecoded; empty: nothing does. */
  readonly query: string
}

/** What makes a path other than its raw text: an escape, a slash followed by a slash or a dot, a byte beyond ASCII. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: DEL and below U+0080 is what ASCII ends with
const special = /%|\/[/.]|[^\x00-\x7f]/

/**
 * Of a target in origin form, or `*`. Undefined: an escape that is none, `%00`, dot segments that lead above the root: to be
 * refused with 400.
 */
export function normalisePath(target: string): RequestPath | undefined {
  const mark = target.indexOf('?')
  const raw = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : target.slice(mark + 1)
  if (!special.test(raw)) return { path: raw, query }
  const decoded = decodeBytes(raw)
  if (decoded === undefined) return undefined
  const path = resolveSegments(decoded)
  return path === undefined ? undefined : { path: textOf(path), query }
}

/** Each byte as one character; undefined: an escape that is none, or `%00`. */
function decodeBytes(raw: string): string | undefined {
  let decoded = ''
  let from = 0
  for (let at = raw.indexOf('%'); at !== -1; at = raw.indexOf('%', from)) {
    const high = hexDigit(raw.charCodeAt(at + 1))
    const low = hexDigit(raw.charCodeAt(at + 2))
    if (high === -1 || low === -1 || high + low === 0) return undefined
    decoded += raw.slice(from, at) + String.fromCharCode(high * 16 + low)
    from = at + 3
  }
  return decoded + raw.slice(from)
}

/** -1: none, as for the NaN beyond the end. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** After decoding, as nginx does: `%2e` is a dot and `%2F` a slash here. Undefined: it leads above the root. */
function resolveSegments(path: string): string | undefined {
  const segments = path.split('/')
  const last = segments.length - 1
  const kept: string[] = []
  for (let index = 0; index <= last; index += 1) {
    const segment = segments[index] as string
    if (segment === '..') {
      if (kept.length <= 1) return undefined
      kept.pop()
    } else if (segment !== '.' && (segment !== '' || index === 0)) {
      kept.push(segment)
      continue
    }
    // What ends in a slash or a dot segment names a folder.
    if (index === last) kept.push('')
  }
  return kept.join('/')
}

/** UTF-8 where it is, lone surrogates where it is not. */
function textOf(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1')
  if (isAscii(bytes)) return latin1
  return isUtf8(bytes) ? bytes.toString('utf8') : escapedText(bytes)
}

function escapedText(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    const end = at + sequenceBytes(bytes[at] as number)
    if (end <= bytes.length && isUtf8(bytes.subarray(at, end))) {
      text += bytes.toString('utf8', at, end)
      at = end
    } else {
      text += String.fromCharCode(0xdc00 + (bytes[at] as number))
      at += 1
    }
  }
  return text
}

/** Of a character that begins with that byte, if it begins one. */
function sequenceBytes(first: number): number {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** What a path may hold undisturbed on its way upstream. */
const plain = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]]*$/
const plainCharacter = /[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]]/

/** A decoded path as it stands in a request line: all but unreserved characters, sub-delims and `:@/[]` is escaped. */
export function encodePath(path: string): string {
  if (plain.test(path)) return path
  let encoded = ''
  for (const character of path) {
    if (plainCharacter.test(character)) {
      encoded += character
      continue
    }
    const code = character.codePointAt(0) as number
    const isByte = code >= 0xdc80 && code <= 0xdcff
    const bytes = isByte ? [code - 0xdc00] : Buffer.from(character, 'utf8')
    for (const byte of bytes) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}

/** `apisix.delete_uri_tail_slash`: one slash at the end goes, but not that of the root. */
export function withoutTailSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/**
 * `apisix.normalize_uri_like_servlet`: parameters (`;…`) of segments go. Undefined, for 400: they stand in a segment that is
 * a dot segment, encoded or not, or that is empty without being the last.
 */
export function withoutParameters(path: string): string | undefined {
  if (!path.includes(';')) return path
  const segments = path.split('/')
  for (const [index, segment] of segments.entries()) {
    const mark = segment.indexOf(';')
    if (mark === -1) continue
    const name = segment.slice(0, mark)
    if (name === '' && index < segments.length - 1) return undefined
    if (/^(?:\.|%2e){1,2}$/i.test(name)) return undefined
    segments[index] = name
  }
  return segments.join('/')
}

/**
 * `apisix.match_uri_encoded_slash`: `path` with the slashes that were sent encoded as `%2F`, where the target decodes to
 * exactly `path`; else `path`.
 */
export function withEncodedSlashes(target: string, path: string): string {
  const mark = target.indexOf('?')
  const raw = mark === -1 ? target : target.slice(0, mark)
  if (!/%2f/i.test(raw)) return path
  const whole = decodeBytes(raw)
  if (whole === undefined || textOf(whole) !== path) return path
  const kept = raw
    .split(/%2f/i)
    .map((piece) => decodeBytes(piece))
    .join('%2F')
  return textOf(kept)
}
