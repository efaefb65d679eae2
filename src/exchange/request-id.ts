/** Names for requests: 32 hexadecimal digits, random. */
import { randomFillSync } from 'node:crypto'

const size = 16
/** Drawn at once: one call for each name costs more than the name. */
const pool = Buffer.alloc(size * 256)
let used = pool.length

export function requestId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += size
  return pool.toString('hex', used - size, used)
}
