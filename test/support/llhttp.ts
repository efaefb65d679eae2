/** Node's own parser of HTTP/1.1, llhttp, in its strict mode, as another reader of the same bytes. It has no public door. */
import { createRequire } from 'node:module'

interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number, lenient: number): void
  execute(bytes: Uint8Array): number | Error
  finish(): Error | undefined
  free(): void
  [callback: number]: unknown
}
interface Door {
  readonly HTTPParser: {
    new (): Parser
    readonly REQUEST: number
    readonly RESPONSE: number
    readonly kOnMessageBegin: number
    readonly kOnHeaders: number
    readonly kOnHeadersComplete: number
    readonly kOnBody: number
    readonly kOnMessageComplete: number
    readonly kLenientNone: number
  }
  readonly methods: readonly string[]
}
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as Door

export interface LlhttpMessage {
  /** Empty for answers. */
  method: string
  target: string
  /** 0 for requests. */
  status: number
  reason: string
  version: number
  keepAlive: boolean
  /** Names and values by turns. */
  fields: string[]
  trailers: string[]
  body: Buffer[]
}

export interface LlhttpOutcome {
  /** Whole ones. */
  readonly messages: readonly LlhttpMessage[]
  /** `upgrade`: it stopped after the last message, since what follows is another protocol's. */
  readonly end: 'done' | 'waits' | 'refuses' | 'upgrade'
  readonly error: string | undefined
}

/** Reads the pieces, then the end of input. `isBodiless`: answers are read as those to HEAD. */
export function readByLlhttp(
  type: 'request' | 'answer',
  pieces: readonly Uint8Array[],
  isBodiless = false,
): LlhttpOutcome {
  const parser = new HTTPParser()
  parser.initialize(type === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 1 << 20, HTTPParser.kLenientNone)
  const messages: LlhttpMessage[] = []
  let open: LlhttpMessage | undefined
  let isPastHead = false
  let isUpgrade = false
  const begin = (): LlhttpMessage => ({
    method: '',
    target: '',
    status: 0,
    reason: '',
    version: 0,
    keepAlive: false,
    fields: [],
    trailers: [],
    body: [],
  })
  parser[HTTPParser.kOnMessageBegin] = () => {
    open = begin()
    isPastHead = false
  }
  parser[HTTPParser.kOnHeaders] = (fields: string[], target: string) => {
    open ??= begin()
    if (isPastHead) open.trailers.push(...fields)
    else {
      open.fields.push(...fields)
      open.target += target
    }
  }
  parser[HTTPParser.kOnHeadersComplete] = (
    major: number,
    minor: number,
    fields: string[] | undefined,
    method: number | undefined,
    target: string | undefined,
    status: number | undefined,
    reason: string | undefined,
    upgrade: boolean,
    keepAlive: boolean,
  ): number => {
    open ??= begin()
    isPastHead = true
    open.version = major * 10 + minor
    open.fields.push(...(fields ?? []))
    open.method = type === 'request' ? (methods[method ?? -1] ?? '') : ''
    open.target += target ?? ''
    open.status = status ?? 0
    open.reason = reason ?? ''
    open.keepAlive = keepAlive
    isUpgrade = upgrade
    return isBodiless ? 1 : 0
  }
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    open?.body.push(Buffer.from(bytes))
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    if (open !== undefined) messages.push(open)
    open = undefined
  }
  try {
    for (const piece of pieces) {
      if (piece.length === 0) continue
      const taken = parser.execute(Buffer.from(piece))
      if (typeof taken !== 'number')
        return { messages, end: 'refuses', error: (taken as Error & { code: string }).code }
      if (isUpgrade && open === undefined) return { messages, end: 'upgrade', error: undefined }
      // Node keeps errors within a message to itself once the head asked for an upgrade.
      if (isUpgrade && taken < piece.length) return { messages, end: 'refuses', error: undefined }
    }
    const cut = parser.finish()
    return { messages, end: cut === undefined ? 'done' : 'waits', error: undefined }
  } finally {
    parser.free()
  }
}
