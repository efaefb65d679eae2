/** The list of resource kinds. A kind exists by being in it. */
import type { ResourceKind } from './kind.ts'
import { service } from './service.ts'
import { ssl } from './ssl.ts'
import { streamRoute } from './stream-route.ts'
import { upstream } from './upstream.ts'

export const kinds: readonly ResourceKind[] = [streamRoute, service, upstream, ssl]

/** By the name of the directory, which is also the segment of the Admin API's path. */
export function kindOf(name: string): ResourceKind | undefined {
  return kinds.find((kind) => kind.name === name)
}
