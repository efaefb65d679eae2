/**
 * CRC-32 as IEEE 802.3 and zlib have it (reflected, 0xEDB88320), for short texts and single words without leaving
 * JavaScript. For long buffers `node:zlib` is faster.
 */

const table = new Int32Array(256)
for (let byte = 0; byte < 256; byte += 1) {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  table[byte] = crc
}

function step(state: number, byte: number): number {
  return (table[(state ^ byte) & 0xff] as number) ^ (state >>> 8)
}

/** The CRC of the text's UTF-8 bytes, 0 to 2³² − 1. Allocates nothing. */
export function crc32(text: string): number {
  let state = -1
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) {
      state = step(state, unit)
      continue
    }
    // A lone surrogate comes out as U+FFFD, as it does from every UTF-8 encoder.
    let point = text.codePointAt(index) as number
    if (point > 0xffff) index += 1
    else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
    if (point < 0x800) {
      state = step(state, 0xc0 | (point >> 6))
    } else {
      if (point < 0x10000) {
        state = step(state, 0xe0 | (point >> 12))
      } else {
        state = step(state, 0xf0 | (point >> 18))
        state = step(state, 0x80 | ((point >> 12) & 0x3f))
      }
      state = step(state, 0x80 | ((point >> 6) & 0x3f))
    }
    state = step(state, 0x80 | (point & 0x3f))
  }
  return ~state >>> 0
}

/** The CRC of some bytes followed by the four bytes of `word`, low byte first, from the CRC of those bytes. */
export function crc32OfWord(crc: number, word: number): number {
  let state = ~crc
  state = step(state, word)
  state = step(state, word >>> 8)
  state = step(state, word >>> 16)
  state = step(state, word >>> 24)
  return ~state >>> 0
}
