/** Frames the parts of a chunked body. The parts themselves are passed on as they are. [RFC 9112 §7.1] */
import type { HeaderList } from '#sdk'
import { isSound, soundFields } from './sound-text.ts'

/** After each part. */
export const chunkEnd = '\r\n'
/** The end of a body without trailers. */
export const lastChunk = '0\r\n\r\n'

/** Before a part of so many bytes, which are more than none: an empty chunk would end the body. */
export function chunkStart(length: number): string {
  return `${length.toString(16)}\r\n`
}

/** The end of the body. Names of trailers that would break it are added to `dropped`. */
export function writeLastChunk(trailers: HeaderList | undefined, dropped: string[]): string {
  if (trailers === undefined || trailers.size === 0) return lastChunk
  const text = sectionOf(trailers)
  return isSound(text, trailers.size + 2) ? text : sectionOf(soundFields(trailers, dropped))
}

function sectionOf(trailers: HeaderList): string {
  let text = '0\r\n'
  for (let index = 0; index < trailers.size; index += 1) {
    text += `${trailers.nameAt(index)}: ${trailers.valueAt(index)}\r\n`
  }
  return `${text}\r\n`
}
