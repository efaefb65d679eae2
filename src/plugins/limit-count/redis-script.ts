/** A script for Redis with the digest under which Redis keeps it. */
import { createHash } from 'node:crypto'

export interface RedisScript {
  readonly text: string
  readonly digest: string
}

export function redisScript(text: string): RedisScript {
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}
