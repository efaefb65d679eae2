/** Hashes of texts for tables in memory: well mixed, quick, and unforeseeable under a secret seed. Nothing for signatures. */

/** 32 well mixed bits of a text under a seed (the rounds and the end of MurmurHash3, on UTF-16 units). */
export function hashText(text: string, seed: number): number {
  let state = seed
  for (let index = 0; index < text.length; index += 1) {
    let block = Math.imul(text.charCodeAt(index), 0xcc9e2d51)
    block = Math.imul((block << 15) | (block >>> 17), 0x1b873593)
    state ^= block
    state = (Math.imul((state << 13) | (state >>> 19), 5) + 0xe6546b64) | 0
  }
  state ^= text.length
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return state ^ (state >>> 16)
}
