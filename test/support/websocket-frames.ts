/** WebSocket frames as bytes, right and wrong ones: written as a test says, and read back [RFC 6455 §5.2]. It knows no rules. */

export const opcodes = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface Frame {
  readonly opcode: number
  readonly payload: Buffer
  /** Default true. */
  readonly fin?: boolean
  /** The three reserved bits: 4 is RSV1. Default 0. */
  readonly rsv?: number
  /** Of the extended length: 2 or 8 where fewer would do. */
  readonly lengthBytes?: 2 | 8
  /** A length that the payload does not have. */
  readonly claimed?: bigint
  /** Masked where it ought not to be, and the other way round. */
  readonly wrongMask?: boolean
}

const key = Buffer.from([0x9a, 0x01, 0xff, 0x7c])

/** `masked`: as a client sends it. */
export function frameBytes(frame: Frame, masked: boolean): Buffer {
  const { payload, wrongMask = false } = frame
  const isMasked = masked !== wrongMask
  const length = frame.claimed ?? BigInt(payload.length)
  const extended = frame.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8)
  const head = Buffer.alloc(2 + extended)
  head[0] = (frame.fin === false ? 0 : 0x80) | ((frame.rsv ?? 0) << 4) | frame.opcode
  head[1] = (isMasked ? 0x80 : 0) | (extended === 0 ? Number(length) : extended === 2 ? 126 : 127)
  if (extended === 2) head.writeUInt16BE(Number(length), 2)
  if (extended === 8) head.writeBigUInt64BE(length, 2)
  return isMasked ? Buffer.concat([head, key, unmasked(payload, key)]) : Buffer.concat([head, payload])
}

/** The frames that are whole. */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first = 0, second = 0] = [bytes[at], bytes[at + 1]]
    const short = second & 0x7f
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0
    const maskAt = at + 2 + extended
    const from = maskAt + (second & 0x80 ? 4 : 0)
    if (from > bytes.length) break
    const length =
      extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (from + length > bytes.length) break
    const payload = bytes.subarray(from, from + length)
    frames.push({
      opcode: first & 15,
      fin: first >= 0x80,
      rsv: (first >> 4) & 7,
      payload: second & 0x80 ? unmasked(payload, bytes.subarray(maskAt, from)) : payload,
    })
    at = from + length
  }
  return frames
}

function unmasked(payload: Buffer, mask: Buffer): Buffer {
  const result = Buffer.from(payload)
  for (let i = 0; i < result.length; i++) result[i] = (result[i] as number) ^ (mask[i & 3] as number)
  return result
}

/** Of a close frame; without a code: empty. */
export function closePayload(code?: number, reason: string | Buffer = ''): Buffer {
  if (code === undefined) return Buffer.alloc(0)
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)])
}
