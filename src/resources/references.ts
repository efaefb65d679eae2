/**
 * Who refers to whom: what stands in the way of deleting a resource, and what a value refers to that is not there. The
 * messages are the Admin API's.
 */
import type { Json, JsonObject } from '../base/json.ts'
import { kindOfKey } from './index.ts'
import type { Lookup, Reference, ResourceKind } from './kind.ts'

/** What a deletion of each kind is refused for: the collections that may refer to it, in the order they are asked. */
const users: Readonly<Record<string, readonly string[]>> = {
  services: ['routes', 'stream_routes'],
  upstreams: ['routes', 'stream_routes', 'services', 'plugin_configs', 'consumers', 'consumer_groups', 'global_rules'],
  plugin_configs: ['routes'],
  consumer_groups: ['consumers'],
  protos: ['routes', 'services', 'stream_routes', 'plugin_configs', 'consumers', 'consumer_groups', 'global_rules'],
  stream_routes: ['stream_routes'],
}

/** How the kind that is deleted is called in the message. */
const deleted: Readonly<Record<string, string>> = {
  services: 'this service directly',
  upstreams: 'this upstream',
  plugin_configs: 'this plugin config',
  consumer_groups: 'this consumer group',
  protos: 'this proto',
}

/** How a user is called; what is missing is called by its collection without the plural s. */
const userNouns: Readonly<Record<string, string>> = { global_rules: 'global_rules' }

/** The message if something still refers to the resource `id` of the collection `kind`; undefined: it may go. */
export function usedBy(kind: string, id: string, lookup: Lookup): string | undefined {
  for (const collection of users[kind] ?? []) {
    for (const user of lookup.all(collection)) {
      const userKind = kindOfKey(collection, user.id)
      if (userKind === undefined || userKind.name !== collection) continue
      const found = userKind.references(user.value).find((each) => each.kind === kind && each.id === id)
      if (found !== undefined && !(collection === kind && user.id === id))
        return refusal(kind, collection, user.id, found)
    }
  }
  return undefined
}

function refusal(kind: string, collection: string, userId: string, reference: Reference): string {
  if (kind === 'stream_routes') {
    return `can not delete this stream route directly, stream route [${userId}] is still using it as superior_id`
  }
  const noun = userNouns[collection] ?? collection.slice(0, -1)
  // A proto is only ever referred to by a plugin, so nothing is said of that.
  const inPlugin = reference.path.startsWith('plugins.') && kind !== 'protos' ? 'plugin in ' : ''
  return `can not delete ${deleted[kind]}, ${inPlugin}${noun} [${userId}] is still using it now`
}

/** What a missing reference is called, by the field that makes it. References inside plugins are not checked. */
const described: Readonly<Record<string, string>> = {
  upstream_id: 'upstream info by upstream id',
  service_id: 'service info by service id',
  plugin_config_id: 'plugin config info by plugin config id',
  group_id: 'consumer group info by consumer group id',
  'tls.client_cert_id': 'ssl info by ssl id',
}

/** The message of the first reference of `value` to something that is not there, or is of the wrong sort. */
export function danglingReference(kind: ResourceKind, value: JsonObject, lookup: Lookup): string | undefined {
  for (const reference of kind.references(value)) {
    const found = lookup.get(reference.kind, reference.id)
    const fault = referenceFault(reference, found?.value)
    if (fault !== undefined) return fault
  }
  return undefined
}

function referenceFault({ path, id }: Reference, found: Json | undefined): string | undefined {
  if (path === 'protocol.superior_id') {
    return found === undefined ? `failed to fetch stream routes[${id}], response code: 404` : undefined
  }
  const description = described[path]
  if (description === undefined) return undefined
  if (found === undefined) return `failed to fetch ${description} [${id}], response code: 404`
  const isWrongSsl = path === 'tls.client_cert_id' && (found as JsonObject)['type'] !== 'client'
  return isWrongSsl ? `failed to fetch ${description} [${id}], wrong ssl type` : undefined
}
