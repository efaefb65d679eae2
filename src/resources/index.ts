/** The list of resource kinds. A kind exists by being in it. */
import { consumer, credential } from './consumer.ts'
import { graphqlCostDecoration } from './graphql-cost-decoration.ts'
import type { ResourceKind } from './kind.ts'
import { pluginMetadata } from './plugin-metadata.ts'
import { consumerGroup, globalRule, pluginConfig } from './plugin-sets.ts'
import { proto } from './proto.ts'
import { route } from './route.ts'
import { secret } from './secret.ts'
import { service } from './service.ts'
import { ssl } from './ssl.ts'
import { streamRoute } from './stream-route.ts'
import { upstream } from './upstream.ts'

export const kinds: readonly ResourceKind[] = [
  route,
  streamRoute,
  service,
  upstream,
  consumer,
  credential,
  consumerGroup,
  globalRule,
  pluginConfig,
  pluginMetadata,
  ssl,
  secret,
  proto,
  graphqlCostDecoration,
]

/** By the name of the collection, as it stands in paths of the Admin API: `routes`, `credentials`. */
export function kindOf(name: string): ResourceKind | undefined {
  return kinds.find((kind) => kind.name === name)
}

/** By a key of the store, where `consumers` `jack/credentials/a` is a credential. */
export function kindOfKey(directory: string, id: string): ResourceKind | undefined {
  const nested = /^[^/]+\/([^/]+)\/[^/]+$/.exec(id)?.[1]
  const child = nested === undefined ? undefined : kindOf(nested)
  return child?.parent === directory ? child : kindOf(directory)
}
