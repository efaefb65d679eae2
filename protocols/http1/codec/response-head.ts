/** Reads the heads of answers, and says how their bodies end. What an endpoint must not send is refused. [RFC 9112 §4, §6.3] */
import { type FieldBlock, HeaderList } from '#sdk'
import { CodecError } from './codec-error.ts'
import { connectionOptions, dropNominated, upgradeToken } from './connection-options.ts'
import { FieldSection } from './field-section.ts'
import { type HeadLimits, HeadScan } from './head-scan.ts'
import { KeptHeads } from './kept-heads.ts'
import { isValue, textOf } from './octets.ts'

export interface AnswerHead {
  /** 10 or 11. */
  readonly version: number
  /** 100 to 999. */
  readonly status: number
  readonly reason: string
  /** End-to-end fields, and Content-Length. */
  readonly headers: HeaderList
  /** Bytes of body; 0: none; undefined: unknown, it is chunked or lasts until the connection closes. */
  readonly length: number | undefined
  readonly chunked: boolean
  /** The connection can take another request when this answer is whole. */
  readonly keepAlive: boolean
  /** The protocol of Upgrade, in lower case; undefined also when Connection does not name it. */
  readonly upgrade: string | undefined
  readonly bytes: number
}

interface KeptAnswer {
  readonly head: AnswerHead
  readonly block: FieldBlock
  readonly limits: HeadLimits
}

/** Of this thread: whole heads of answers that may have a body. */
const kept = new KeptHeads<KeptAnswer>()

export class AnswerHeadReader {
  readonly #scan = new HeadScan(isValue)
  #lineChecked = false
  /** Where what was read last is kept; -1: nowhere. */
  #place = -1
  /** The offset after the head that `read` answered. */
  end = 0

  get midway(): boolean {
    return this.#scan.midway
  }

  /**
   * As `RequestHeadReader.read`. `method`: of the request that this answers; it decides about the body. Interim answers
   * (1xx) are heads of their own: read on for the next one.
   */
  read(bytes: Uint8Array, from: number, to: number, limits: HeadLimits, method: string): AnswerHead | undefined {
    const scan = this.#scan
    const isUsual = method !== 'HEAD' && method !== 'CONNECT'
    if (this.#place !== -1 && isUsual && !scan.midway) {
      const found = kept.at(this.#place, bytes, from, to)
      if (found !== undefined && found.limits === limits) {
        this.end = from + found.head.bytes
        return withFields(found.head, HeaderList.over(found.block))
      }
    }
    const end = scan.scan(bytes, from, to, limits)
    if (end === -1) {
      if (scan.pastFirstLine && !this.#lineChecked) {
        checkStatusLine(textOf(bytes, from, from + scan.firstEnd))
        this.#lineChecked = true
      }
      return undefined
    }
    this.#lineChecked = false
    this.end = end
    const text = textOf(bytes, from, end)
    const line = text.slice(0, scan.firstEnd)
    checkStatusLine(line)
    const section = new FieldSection()
    section.take(bytes, from, text, scan.fields, true)
    const head = headOf(line, section, method, end - from)
    this.#place = isUsual ? kept.note(bytes, from, end, () => ({ head, block: section.headers.keep(), limits })) : -1
    return head
  }
}

/** The same head for another message, which may change its fields. */
function withFields(head: AnswerHead, headers: HeaderList): AnswerHead {
  const { version, status, reason, length, chunked, keepAlive, upgrade, bytes } = head
  return { version, status, reason, headers, length, chunked, keepAlive, upgrade, bytes }
}

function headOf(line: string, section: FieldSection, method: string, bytes: number): AnswerHead {
  const { headers } = section
  const version = line.charCodeAt(7) === 0x31 ? 11 : 10
  const status = Number(line.slice(9, 12))
  const options = connectionOptions(section.connection)
  if (status < 200 && (version === 10 || options.close)) {
    throw new CodecError(400, 'an interim answer that none can follow')
  }
  const upgrade = options.upgrade ? upgradeToken(section.upgrade) : undefined
  if (status === 101 && upgrade === undefined) throw new CodecError(400, '101 without Upgrade and its Connection')
  if (options.nominated.length > 0) dropNominated(headers, options.nominated)
  const isChunked = checkCoding(section, version)
  const isBare =
    status < 200 || status === 204 || status === 304 || method === 'HEAD' || (method === 'CONNECT' && status < 300)
  const chunked = isChunked && !isBare
  const length = isBare ? 0 : isChunked ? undefined : section.contentLength
  return {
    version,
    status,
    reason: line.slice(13),
    headers,
    length,
    chunked,
    keepAlive: !options.close && (version === 11 || options.keepAlive) && (chunked || length !== undefined),
    upgrade,
    bytes,
  }
}

/** `HTTP/1.x SP 3DIGIT SP reason`; the last blank may be missing, as many servers leave it out with an empty reason. */
function checkStatusLine(line: string): void {
  const minor = line.charCodeAt(7)
  const isVersion = line.startsWith('HTTP/1.') && (minor === 0x31 || minor === 0x30) && line.charCodeAt(8) === 0x20
  const isStatus = isDigit(line, 9) && line.charCodeAt(9) !== 0x30 && isDigit(line, 10) && isDigit(line, 11)
  const isEnd = line.length === 12 || line.charCodeAt(12) === 0x20
  if (!isVersion || !isStatus || !isEnd) throw new CodecError(400, 'a status line that is none')
}

function isDigit(line: string, at: number): boolean {
  const code = line.charCodeAt(at)
  return code >= 0x30 && code <= 0x39
}

/** Answers whether it is chunked. Wrong framing is refused even where no body follows. [RFC 9112 §6.1] */
function checkCoding(section: FieldSection, version: number): boolean {
  const coding = section.transferEncoding
  if (coding === undefined) return false
  if (version === 10) throw new CodecError(400, 'Transfer-Encoding in HTTP/1.0')
  if (section.contentLength !== undefined) throw new CodecError(400, 'both Content-Length and Transfer-Encoding')
  if (coding.toLowerCase() !== 'chunked') throw new CodecError(501, 'a Transfer-Encoding other than chunked')
  return true
}
