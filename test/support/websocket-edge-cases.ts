/**
 * What one end of a WebSocket may send, at the edges of what is allowed and just beyond, and what `ws` at the other end says to it:
 * a proxy between them changes nothing of either.
 */
import { createHash } from 'node:crypto'
import { closePayload, type Frame, opcodes } from './websocket-frames.ts'

export interface EdgeCase {
  readonly name: string
  /** The last one closes, unless something before it is refused. */
  readonly frames: readonly Frame[]
  /** The events of messages and control frames, in order; without the close. */
  readonly heard?: readonly string[]
  /** How the other end refuses it: the code of its error as a client and as a server, and that of its close frame. */
  readonly refused?: { readonly client: string; readonly server: string; readonly code: number }
}

/** A payload as the events tell it: short ones themselves, others by their length and digest. */
export function told(payload: Buffer): string {
  if (payload.length < 40) return payload.toString()
  return `${payload.length} bytes ${createHash('sha1').update(payload).digest('hex')}`
}

const bytes = (length: number): Buffer => Buffer.alloc(length, Buffer.from('.9"&0*\x1f\xfe\x00 z', 'latin1'))
const letters = (length: number): Buffer => Buffer.alloc(length, 'etaoin shrdlu')

const text = (payload: string | Buffer, more: Partial<Frame> = {}): Frame => ({
  ...{ opcode: opcodes.text, payload: Buffer.from(payload) },
  ...more,
})
const binary = (payload: Buffer, more: Partial<Frame> = {}): Frame => ({ opcode: opcodes.binary, payload, ...more })
const more = (payload: string | Buffer): Frame => ({ ...text(payload), opcode: opcodes.more, fin: false })
const last = (payload: string | Buffer): Frame => ({ ...text(payload), opcode: opcodes.more })
const ping = (payload: string | Buffer): Frame => ({ ...text(payload), opcode: opcodes.ping })
const pong = (payload: string | Buffer): Frame => ({ ...text(payload), opcode: opcodes.pong })
const close = (payload: Buffer): Frame => ({ opcode: opcodes.close, payload })
const begin = { fin: false } as const

const euro = Buffer.from('€')
const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 1_048_576]

const messages: readonly EdgeCase[] = [
  ...sizes.map((size) => ({
    name: `a text and a binary message of ${size} bytes, each in one frame`,
    frames: [text(letters(size)), binary(bytes(size))],
    heard: [`text ${told(letters(size))}`, `binary ${told(bytes(size))}`],
  })),
  {
    name: 'lengths written with more bytes than they need',
    frames: [text('short', { lengthBytes: 2 }), text('also short', { lengthBytes: 8 })],
    heard: ['text short', 'text also short'],
  },
  {
    name: 'a text in fragments with control frames between them',
    frames: [text('one ', begin), ping('now'), more('two '), pong('well'), ping(''), last('three')],
    heard: ['ping now', 'pong well', 'ping ', 'text one two three'],
  },
  {
    name: 'fragments without a byte, first, in the middle and last',
    frames: [text('', begin), more(''), more('x'), more(''), last(''), text('', begin), last('')],
    heard: ['text x', 'text '],
  },
  {
    name: 'a character cut in two by fragments',
    frames: [text(euro.subarray(0, 1), begin), more(euro.subarray(1, 2)), last(euro.subarray(2))],
    heard: ['text €'],
  },
  {
    name: 'a thousand fragments of one byte',
    frames: [binary(bytes(1), begin), ...Array.from({ length: 998 }, () => more('.')), last('.')],
    heard: [`binary ${told(Buffer.alloc(1000, '.'))}`],
  },
  {
    name: 'sixteen fragments of 64 KiB',
    frames: [
      binary(bytes(65_536), begin),
      ...Array.from({ length: 14 }, () => more(bytes(65_536))),
      last(bytes(65_536)),
    ],
    heard: [`binary ${told(Buffer.concat(Array.from({ length: 16 }, () => bytes(65_536))))}`],
  },
]

const controls: readonly EdgeCase[] = [
  ...[0, 1, 125].map((size) => ({
    name: `pings and pongs that nobody asked for, of ${size} bytes`,
    frames: [pong(bytes(size)), ping(bytes(size)), pong(bytes(size)), ping(letters(size))],
    heard: [...['pong', 'ping', 'pong'].map((what) => `${what} ${told(bytes(size))}`), `ping ${told(letters(size))}`],
  })),
  {
    name: 'thirty pings in a row',
    frames: Array.from({ length: 30 }, (_, i) => ping(`${i}`)),
    heard: Array.from({ length: 30 }, (_, i) => `ping ${i}`),
  },
]

const allowedCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]

const closes: readonly EdgeCase[] = [
  ...allowedCodes.flatMap((code) => [
    { name: `close code ${code} with a reason`, frames: [close(closePayload(code, `because of ${code} äöü`))] },
    { name: `close code ${code} without one`, frames: [close(closePayload(code))] },
  ]),
  { name: 'a close without a code', frames: [close(closePayload())] },
  { name: 'a reason of 123 bytes', frames: [close(closePayload(1000, letters(123)))] },
  { name: 'a close between fragments', frames: [text('begun', begin), close(closePayload(1001, 'must go'))] },
]

const refusal = (name: string, error: string, code: number, ...frames: readonly Frame[]): EdgeCase => ({
  ...{ name, frames },
  refused: { client: `WS_ERR_${error}`, server: `WS_ERR_${error}`, code },
})

const refusals: readonly EdgeCase[] = [
  ...[0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 65_535].map((code) =>
    refusal(`close code ${code}`, 'INVALID_CLOSE_CODE', 1002, close(closePayload(code, 'no'))),
  ),
  refusal('a close of one byte', 'INVALID_CONTROL_PAYLOAD_LENGTH', 1002, close(Buffer.from([3]))),
  refusal('a reason that is no UTF-8', 'INVALID_UTF8', 1007, close(closePayload(1000, Buffer.from([0xce])))),
  refusal('a text that is no UTF-8', 'INVALID_UTF8', 1007, text(Buffer.from([0x61, 0xed, 0xa0, 0x80]))),
  refusal('a ping of 126 bytes', 'INVALID_CONTROL_PAYLOAD_LENGTH', 1002, ping(bytes(126))),
  refusal('a ping in fragments', 'EXPECTED_FIN', 1002, { ...ping('half'), fin: false }, last('other')),
  refusal('a fragment of nothing', 'INVALID_OPCODE', 1002, last('of what')),
  refusal('a message that begins in another', 'INVALID_OPCODE', 1002, text('one', begin), text('two')),
  ...[3, 7, 11, 15].map((opcode) =>
    refusal(`opcode ${opcode}`, 'INVALID_OPCODE', 1002, { opcode, payload: Buffer.from('what') }),
  ),
  refusal('RSV1 without an extension', 'UNEXPECTED_RSV_1', 1002, text('compressed', { rsv: 4 })),
  refusal('RSV2', 'UNEXPECTED_RSV_2_3', 1002, text('reserved', { rsv: 2 })),
  refusal('a length of 2^63 - 1', 'UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009, text('few', { claimed: 2n ** 63n - 1n })),
  {
    name: 'a mask that is missing, or that ought not to be there',
    frames: [text('hello', { wrongMask: true })],
    refused: { client: 'WS_ERR_UNEXPECTED_MASK', server: 'WS_ERR_EXPECTED_MASK', code: 1002 },
  },
]

export const edgeCases: readonly EdgeCase[] = [
  ...[...messages, ...controls].map((one) => ({ ...one, frames: [...one.frames, close(closePayload(1000, 'done'))] })),
  ...closes,
  ...refusals,
]
