/**
 * Writes heads of requests and answers as latin1 text: each character is one byte. Whatever fields hold, what leaves is one
 * head: a field that would break it is left out, and reported.
 */
import { type FieldBlock, GatewayError, type HeaderList, type Writing } from '#sdk'
import { isTokenText } from './octets.ts'
import { isSound, soundFields, soundText } from './sound-text.ts'
import { phraseOf } from './status-phrases.ts'

/** How the body is framed, where it is no number of bytes (which is written as Content-Length). */
export const chunked = -1
/** No framing field: no body at all, or one that lasts until the connection closes. */
export const unframed = -2
/** Content-Length as the fields have it: answers to HEAD, and 304, which speak of a body that does not come. */
export const asListed = -3

const uriPattern = /^[\x21-\x7e]+$/

/**
 * The head of a request. `uri`: as it stands in the first line. `framing`: bytes of body, or one of the constants above.
 * Host leads. `upgrade`: written with the Connection that belongs to it; else none is, and the connection persists. Fields of
 * the connection and of framing that are in `headers` are passed over. Names of fields that were left out are added to
 * `dropped`. Throws GatewayError `internal` when method or uri are no parts of a request line.
 */
export function writeRequestHead(
  method: string,
  uri: string,
  headers: HeaderList,
  framing: number,
  upgrade: string | undefined,
  dropped: string[],
): string {
  if (!uriPattern.test(uri) || !isTokenText(method)) {
    throw new GatewayError('internal', `no request line can be made of ${JSON.stringify(`${method} ${uri}`)}`)
  }
  return compose(`${method} ${uri} HTTP/1.1\r\n`, true, headers, framing, '', upgrade, dropped)
}

/**
 * The head of an answer, interim ones included. `reason` empty: the usual phrase. `framing`: as for requests. `connection`:
 * `keep-alive`, `close`, or empty for no such line. `upgrade`: of a 101, written with its own Connection instead.
 */
export function writeAnswerHead(
  status: number,
  reason: string,
  headers: HeaderList,
  framing: number,
  connection: string,
  upgrade: string | undefined,
  dropped: string[],
): string {
  const usual = phraseOf(status)
  const isUsual = reason === '' || reason === usual
  const first = `HTTP/1.1 ${status} ${isUsual ? usual : reason}\r\n`
  return compose(first, isUsual, headers, framing, connection, upgrade, dropped)
}

function compose(
  first: string,
  isFirstSound: boolean,
  headers: HeaderList,
  framing: number,
  connection: string,
  upgrade: string | undefined,
  dropped: string[],
): string {
  if (isFirstSound && upgrade === undefined && headers.isSound) {
    const { block } = headers
    return (
      first +
      (block === undefined
        ? assemble(headers, framing, connection, upgrade)
        : kept(block, headers, framing, connection))
    )
  }
  const text = first + assemble(headers, framing, connection, upgrade)
  if (isSound(text, assembledLines)) return text
  const token = upgrade === undefined || isTokenText(upgrade) ? upgrade : undefined
  return `${soundText(first.slice(0, -2))}\r\n${assemble(soundFields(headers, dropped), framing, connection, token)}`
}

/** Fields as they were written last, and what they were written with. */
class WrittenFields implements Writing {
  readonly framing: number
  readonly connection: string
  readonly text: string

  constructor(framing: number, connection: string, text: string) {
    this.framing = framing
    this.connection = connection
    this.text = text
  }
}

function kept(block: FieldBlock, headers: HeaderList, framing: number, connection: string): string {
  const { written } = block
  if (written instanceof WrittenFields && written.framing === framing && written.connection === connection) {
    return written.text
  }
  const text = assemble(headers, framing, connection, undefined)
  block.written = new WrittenFields(framing, connection, text)
  return text
}

/** Of the text that `assemble` made last, with the first line and the empty one. */
let assembledLines = 0

/** All that follows the first line. */
function assemble(headers: HeaderList, framing: number, connection: string, upgrade: string | undefined): string {
  const size = headers.size
  const host = headers.get('host')
  let text = host === undefined ? '' : `Host: ${host}\r\n`
  let lines = host === undefined ? 2 : 3
  for (let index = 0; index < size; index += 1) {
    if (isOwn(headers.lowerAt(index), framing)) continue
    const line = headers.lineAt(index)
    text += line === '' ? `${headers.nameAt(index)}: ${headers.valueAt(index)}\r\n` : line
    lines += 1
  }
  if (framing >= chunked) {
    text += framing >= 0 ? `Content-Length: ${framing}\r\n` : 'Transfer-Encoding: chunked\r\n'
    lines += 1
  }
  if (upgrade !== undefined) {
    text += `Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`
    lines += 2
  } else if (connection !== '') {
    text += `Connection: ${connection}\r\n`
    lines += 1
  }
  assembledLines = lines
  return `${text}\r\n`
}

/** Fields that the writer makes itself, or that no list hands on to the next hop. */
function isOwn(lower: string, framing: number): boolean {
  switch (lower.length) {
    case 2:
      return lower === 'te'
    case 4:
      return lower === 'host'
    case 7:
      return lower === 'upgrade'
    case 10:
      return lower === 'connection' || lower === 'keep-alive'
    case 14:
      return lower === 'content-length' && framing !== asListed
    case 16:
      return lower === 'proxy-connection'
    case 17:
      return lower === 'transfer-encoding'
    default:
      return false
  }
}
