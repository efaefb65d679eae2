/** Whole messages of HTTP/1.1 out of bytes that come in any pieces, by the codec: what a connection does, without one. */
import { ChunkedReader } from '../../protocols/http1/codec/chunked-reader.ts'
import { type RequestHead, RequestHeadReader } from '../../protocols/http1/codec/request-head.ts'
import { type AnswerHead, AnswerHeadReader } from '../../protocols/http1/codec/response-head.ts'
import type { HeaderList } from '../../src/exchange/header-list.ts'

export const headRules = { maxLineBytes: 600, maxHeadBytes: 4096, maxHeaders: 100, underscores: true }

export interface WholeMessage<Head> {
  readonly head: Head
  readonly body: Buffer
  readonly trailers: HeaderList | undefined
}

/** A body under way. */
interface OpenMessage<Head> {
  readonly head: Head
  readonly parts: Buffer[]
  readonly chunks: ChunkedReader | undefined
  /** Infinity: until the connection closes. */
  left: number
}

interface HeadReader<Head> {
  readonly end: number
  readonly midway: boolean
  read(bytes: Uint8Array, from: number, to: number): Head | undefined
}

export class MessageReader<Head> {
  readonly #heads: HeadReader<Head>
  readonly #lengthOf: (head: Head) => number | undefined
  readonly #persists: (head: Head) => boolean
  /** Bytes of a head that has not come whole. */
  #held: Buffer = Buffer.alloc(0)
  #open: OpenMessage<Head> | undefined = undefined
  readonly messages: WholeMessage<Head>[] = []
  /** Takes no more: what follows the last message belongs to nobody. */
  stopped = false

  /**
   * `lengthOf`: of the body; undefined: chunked, Infinity: until the connection closes, NaN: reading stops after the head.
   * `persists`: another message may follow.
   */
  constructor(
    heads: HeadReader<Head>,
    lengthOf: (head: Head) => number | undefined,
    persists: (head: Head) => boolean,
  ) {
    this.#heads = heads
    this.#lengthOf = lengthOf
    this.#persists = persists
  }

  /** Bytes that `push` was given and that no message has used up. */
  get held(): number {
    return this.#held.length
  }

  get midway(): boolean {
    return this.#open !== undefined || this.#held.length > 0
  }

  /** What was completed is in `messages`. The codec sees a copy that is scribbled over afterwards. Throws what it throws. */
  push(bytes: Uint8Array): void {
    const input = Buffer.concat([this.#held, bytes])
    let at = 0
    while (!this.stopped && at < input.length) {
      if (this.#open !== undefined) {
        at = this.#readBody(this.#open, input, at)
        continue
      }
      const head = this.#heads.read(input, at, input.length)
      if (head === undefined) break
      at = this.#heads.end
      this.#begin(head)
    }
    this.#held = Buffer.from(input.subarray(this.stopped ? input.length : at))
    input.fill(0xaa)
  }

  /** The connection has closed: completes a body that lasts until then. */
  close(): void {
    if (this.#open?.left === Number.POSITIVE_INFINITY) this.#finish(this.#open, undefined)
  }

  #begin(head: Head): void {
    const length = this.#lengthOf(head)
    const chunks = length === undefined ? new ChunkedReader(headRules) : undefined
    this.#open = { head, parts: [], chunks, left: length ?? 0 }
    if (Number.isNaN(length)) this.stopped = true
    if (length === 0 || this.stopped) this.#finish(this.#open, undefined)
  }

  #readBody(open: OpenMessage<Head>, input: Buffer, from: number): number {
    const { chunks } = open
    if (chunks === undefined) {
      const end = Math.min(input.length, from + open.left)
      open.parts.push(Buffer.from(input.subarray(from, end)))
      open.left -= end - from
      if (open.left === 0) this.#finish(open, undefined)
      return end
    }
    const next = chunks.read(input, from, input.length)
    if (chunks.partEnd > chunks.partAt) open.parts.push(Buffer.from(input.subarray(chunks.partAt, chunks.partEnd)))
    if (chunks.ended) this.#finish(open, chunks.trailers)
    return next
  }

  #finish(open: OpenMessage<Head>, trailers: HeaderList | undefined): void {
    this.messages.push({ head: open.head, body: Buffer.concat(open.parts), trailers })
    this.#open = undefined
    if (!this.#persists(open.head)) this.stopped = true
  }
}

export function requestReader(rules = headRules): MessageReader<RequestHead> {
  const heads = new RequestHeadReader()
  return new MessageReader<RequestHead>(
    {
      get end() {
        return heads.end
      },
      get midway() {
        return heads.midway
      },
      read: (bytes, from, to) => heads.read(bytes, from, to, rules),
    },
    (head) => (head.form === 'authority' ? Number.NaN : head.length),
    (head) => head.keepAlive,
  )
}

/** `method`: of the requests that are answered. */
export function answerReader(method = 'GET', rules = headRules): MessageReader<AnswerHead> {
  const heads = new AnswerHeadReader()
  return new MessageReader<AnswerHead>(
    {
      get end() {
        return heads.end
      },
      get midway() {
        return heads.midway
      },
      read: (bytes, from, to) => heads.read(bytes, from, to, rules, method),
    },
    (head) => {
      if (head.status === 101) return Number.NaN
      return head.chunked || head.length !== undefined ? head.length : Number.POSITIVE_INFINITY
    },
    (head) => head.keepAlive,
  )
}

/** The fields as `name: value` lines, names as written. */
export function fieldsOf(headers: HeaderList | undefined): string[] {
  const lines: string[] = []
  for (let index = 0; index < (headers?.size ?? 0); index += 1) {
    lines.push(`${headers?.nameAt(index)}: ${headers?.valueAt(index)}`)
  }
  return lines
}
