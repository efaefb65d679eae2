/** Reads the heads of requests. Strict: what another reader could take in another way is refused. [RFC 9112 §2, §3, §6] */
import { type FieldBlock, HeaderList } from '#sdk'
import { CodecError } from './codec-error.ts'
import { connectionOptions, dropNominated, upgradeToken } from './connection-options.ts'
import { FieldSection } from './field-section.ts'
import { type HeadLimits, HeadScan } from './head-scan.ts'
import { hostAt, hostOf } from './host-name.ts'
import { KeptHeads } from './kept-heads.ts'
import { classes, isRequestLine, textOf, trimmed } from './octets.ts'
import { type RequestLine, readRequestLine } from './request-line.ts'

export interface RequestRules extends HeadLimits {
  /** Pass on fields whose names have an underscore; otherwise they are dropped unseen, as nginx does. */
  readonly underscores: boolean
}

export interface RequestHead {
  readonly method: string
  /** As sent. */
  readonly target: string
  readonly form: RequestLine['form']
  /** Path and query of it: `/` if an absolute target has no path; `*`; empty for CONNECT. */
  readonly uri: string
  /** Of the target if it names one, else the Host field; empty: HTTP/1.0 without it. Headers hold the same as `Host`. */
  readonly authority: string
  /** Of `authority`: lower case, without port and brackets. */
  readonly host: string
  /** 10 or 11. */
  readonly version: number
  /** End-to-end fields, and Content-Length. */
  readonly headers: HeaderList
  /** Bytes of body; 0: none; undefined: it is chunked. */
  readonly length: number | undefined
  /** The client would keep the connection. */
  readonly keepAlive: boolean
  /** It waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
  /** The protocol that an Upgrade asks for, in lower case. */
  readonly upgrade: string | undefined
  /** Names that Connection held besides, in lower case; their fields are gone from `headers`. */
  readonly nominated: readonly string[]
  /** `TE: trailers` was there. */
  readonly takesTrailers: boolean
  /** Of the head as it came, an empty line before it included. */
  readonly bytes: number
}

/** What the fields of a request say, whatever its first line. */
type RequestFields = Omit<RequestHead, 'method' | 'target' | 'form' | 'uri' | 'version' | 'headers' | 'bytes'>

/** With the rules that held when they were read. */
interface KeptFields extends RequestRules {
  readonly fields: RequestFields
  readonly block: FieldBlock
}

/** Of this thread. What is kept begins with the version in the first line, and goes on to the end of the head. */
const kept = new KeptHeads<KeptFields>()
/** Where the last one of any connection is kept, which those of a new connection may be like. */
let latest = -1
/** Of `HTTP/1.1`. */
const versionLength = 8

/** One for each connection, and for each head after the other. It keeps no bytes, only how far it looked. */
export class RequestHeadReader {
  readonly #scan = new HeadScan(isRequestLine)
  #lineChecked = false
  /** Where what was read last is kept; -1: nowhere. */
  #place = latest
  /** The offset after the head that `read` answered. */
  end = 0

  /** In the middle of a head: no more bytes means that it was cut off. */
  get midway(): boolean {
    return this.#scan.midway
  }

  /**
   * Reads the head that begins at `from`, as far as it came. Undefined: more of it is to come; the caller keeps these bytes
   * and hands them in again with those that follow (in any place). Else the head, with `end` set. Throws CodecError: this is
   * no request that may be passed on; the connection must be closed after the answer. Borrows `bytes` until it returns.
   */
  read(bytes: Uint8Array, from: number, to: number, rules: RequestRules): RequestHead | undefined {
    const scan = this.#scan
    if (this.#place !== -1 && !scan.midway) {
      const head = this.#readKept(bytes, from, to, rules)
      if (head !== undefined) return head
    }
    const end = scan.scan(bytes, from, to, rules)
    if (end === -1) {
      if (scan.pastFirstLine && !this.#lineChecked) {
        // A line that is refused is refused now: its sender may wait for an answer, as those of HTTP/0.9 do.
        const line = textOf(bytes, from + scan.firstAt, from + scan.firstEnd)
        readRequestLine(line, 0, line.length)
        this.#lineChecked = true
      }
      return undefined
    }
    this.#lineChecked = false
    this.end = end
    const text = textOf(bytes, from, end)
    const line = readRequestLine(text, scan.firstAt, scan.firstEnd)
    const section = new FieldSection()
    section.take(bytes, from, text, scan.fields, rules.underscores)
    const { headers } = section
    const fields = fieldsOf(section, bytes, line.version)
    const { maxLineBytes, maxHeadBytes, maxHeaders, underscores } = rules
    const versionAt = from + scan.firstEnd - versionLength
    this.#place = kept.note(bytes, versionAt, end, () => {
      return { maxLineBytes, maxHeadBytes, maxHeaders, underscores, fields, block: headers.keep() }
    })
    if (this.#place !== -1) latest = this.#place
    return headOf(line, fields, headers, end - from)
  }

  /** The head that begins at `from`, if all but its first line is what came last. Nothing is changed where it is not. */
  #readKept(bytes: Uint8Array, from: number, to: number, rules: RequestRules): RequestHead | undefined {
    let lineEnd = from
    while (lineEnd < to && ((classes[bytes[lineEnd] as number] as number) & isRequestLine) !== 0) lineEnd += 1
    const versionAt = lineEnd - versionLength
    if (versionAt <= from || lineEnd - from > rules.maxLineBytes) return undefined
    const found = kept.at(this.#place, bytes, versionAt, to)
    if (found === undefined || !isUnder(found, rules)) return undefined
    const end = versionAt + kept.sizeAt(this.#place)
    if (end - from > rules.maxHeadBytes) return undefined
    const text = textOf(bytes, from, lineEnd)
    const head = headOf(readRequestLine(text, 0, text.length), found.fields, HeaderList.over(found.block), end - from)
    this.end = end
    return head
  }
}

/** What was let pass by rules that are still in force. */
function isUnder(found: RequestRules, rules: RequestRules): boolean {
  return (
    found.maxLineBytes === rules.maxLineBytes &&
    found.maxHeadBytes === rules.maxHeadBytes &&
    found.maxHeaders === rules.maxHeaders &&
    found.underscores === rules.underscores
  )
}

function headOf(line: RequestLine, fields: RequestFields, headers: HeaderList, bytes: number): RequestHead {
  let { authority, host } = fields
  if (line.authority !== '' && line.authority !== authority) {
    // The target's is the one that counts, and the field has to say the same. [RFC 9112 §3.2.2]
    authority = line.authority
    host = hostOf(authority) ?? ''
    headers.set('Host', authority)
  }
  return {
    method: line.method,
    target: line.target,
    form: line.form,
    uri: line.uri,
    authority,
    host,
    version: line.version,
    headers,
    length: fields.length,
    keepAlive: fields.keepAlive,
    expectsContinue: fields.expectsContinue,
    upgrade: fields.upgrade,
    nominated: fields.nominated,
    takesTrailers: fields.takesTrailers,
    bytes,
  }
}

function fieldsOf(section: FieldSection, bytes: Uint8Array, version: number): RequestFields {
  const host = hostOfFields(section, bytes, version)
  const length = bodyLength(section, version)
  const options = connectionOptions(section.connection)
  if (options.nominated.length > 0) dropNominated(section.headers, options.nominated)
  return {
    authority: section.host ?? '',
    host,
    length,
    keepAlive: !options.close && (version === 11 || options.keepAlive),
    expectsContinue: version === 11 && length !== 0 && section.expect?.toLowerCase() === '100-continue',
    upgrade: version === 11 && options.upgrade ? upgradeToken(section.upgrade) : undefined,
    nominated: options.nominated,
    takesTrailers: section.te !== undefined && /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(section.te),
  }
}

/** One Host is needed in HTTP/1.1, even where the target names another one. [RFC 9112 §3.2] */
function hostOfFields(section: FieldSection, bytes: Uint8Array, version: number): string {
  const field = section.host
  if (field === undefined) {
    if (version === 11) throw new CodecError(400, 'no Host')
    return ''
  }
  const host = hostAt(bytes, section.hostAt, section.hostAt + field.length, field)
  if (host === undefined) throw new CodecError(400, 'a Host that is no host')
  return host
}

/** Length and chunked coding together is an attack: refused, never chosen between. [RFC 9112 §6.1, §6.3] */
function bodyLength(section: FieldSection, version: number): number | undefined {
  const coding = section.transferEncoding
  if (coding === undefined) return section.contentLength ?? 0
  if (version === 10) throw new CodecError(400, 'Transfer-Encoding in HTTP/1.0')
  if (section.contentLength !== undefined) throw new CodecError(400, 'both Content-Length and Transfer-Encoding')
  if (coding.toLowerCase() !== 'chunked') {
    // Codings before a last `chunked` leave the framing clear, but nobody here undoes them.
    const codings = coding.toLowerCase().split(',').map(trimmed)
    const isFramed = codings.indexOf('chunked') === codings.length - 1
    throw new CodecError(isFramed ? 501 : 400, 'a Transfer-Encoding other than chunked')
  }
  return undefined
}
