/**
 * One gzip member made part by part, each part readable as soon as it is there. [RFC 1952] Every part is compressed for itself
 * up to a byte boundary, with what went before as its dictionary: to a reader that is one deflate stream.
 */
import { constants, crc32, deflateRawSync } from 'node:zlib'

/** Magic, deflate, no flags, no time, no hints, unknown system. [RFC 1952 §2.3] */
const header = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255)
/** An empty last block of fixed codes. [RFC 1951 §3.2.6] */
const lastBlock = Uint8Array.of(3, 0)
/** How far back deflate can refer. [RFC 1951 §2] */
const windowBytes = 32 * 1024
/** Taking a dictionary in costs as much as compressing it: a small part gets a small one. */
const dictionaryPerByte = 8
const leastDictionary = 1024
const leastChunk = 64

export interface GzipSettings {
  /** 1 to 9. */
  readonly level: number
  /** zlib's output grows by buffers of this many bytes. */
  readonly bufferBytes: number
  /** As many buffers are filled at most before they are gathered. */
  readonly buffers: number
}

export class GzipMember {
  readonly #settings: GzipSettings
  #window: Buffer = Buffer.alloc(0)
  #checksum = 0
  #size = 0
  #begun = false

  constructor(settings: GzipSettings) {
    this.#settings = settings
  }

  /** The next bytes of the member, all of `bytes` being in them. `last`: it ends with them. */
  add(bytes: Uint8Array, last: boolean): Uint8Array {
    const parts: Uint8Array[] = []
    if (!this.#begun) parts.push(header)
    this.#begun = true
    const { bufferBytes, buffers } = this.#settings
    const sliceBytes = bufferBytes * buffers
    for (let from = 0; from < bytes.length; from += sliceBytes) {
      parts.push(this.#deflate(bytes.subarray(from, from + sliceBytes)))
    }
    if (last) parts.push(lastBlock, this.#trailer())
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }

  #deflate(bytes: Uint8Array): Uint8Array {
    const { level, bufferBytes } = this.#settings
    const reach = Math.max(leastDictionary, bytes.length * dictionaryPerByte)
    const dictionary = this.#window.subarray(-reach)
    const deflated = deflateRawSync(bytes, {
      level,
      chunkSize: Math.max(leastChunk, bufferBytes),
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(dictionary.length === 0 ? {} : { dictionary }),
    })
    this.#checksum = crc32(bytes, this.#checksum)
    this.#size = (this.#size + bytes.length) % 2 ** 32
    // A copy: the bytes are only lent.
    this.#window = Buffer.concat([this.#window.subarray(-windowBytes), bytes.subarray(-windowBytes)]).subarray(
      -windowBytes,
    )
    return deflated
  }

  #trailer(): Uint8Array {
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(this.#checksum, 0)
    trailer.writeUInt32LE(this.#size, 4)
    return trailer
  }
}
