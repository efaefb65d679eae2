/**
 * What GraphQL cost decorations have of their own beyond the generic handlers: they belong to the service in their
 * path, and decorate a field once.
 */
import type { JsonObject } from '../base/json.ts'
import type { ConfigWriter } from '../config/source.ts'
import { refusal } from './reply.ts'
import type { Address } from './resource-address.ts'

export function isCostDecoration(address: Address): boolean {
  return address.kind.name === 'graphql_cost_decorations'
}

/** For PUT and POST: the value with its service, or a refusal. `id` is absent for POST. */
export async function bindToService(
  writer: ConfigWriter,
  address: Address,
  value: JsonObject,
  id: string | undefined,
): Promise<JsonObject> {
  const service = address.parentId as string
  if (value['service_id'] !== undefined && String(value['service_id']) !== service) {
    throw refusal(400, 'wrong service_id, it is taken from the path')
  }
  if ((await writer.read('services', service)) === undefined) throw refusal(404, 'service not found')
  await refuseTwice(writer, address, value, id)
  return { ...value, service_id: service }
}

/** For PATCH: what it may not change, and that it does not move onto a field that has a decoration already. */
export async function checkPatch(writer: ConfigWriter, address: Address, patch: JsonObject, id: string): Promise<void> {
  if (patch['service_id'] !== undefined) throw refusal(400, 'service_id can not be patched')
  await refuseTwice(writer, address, patch, id)
}

/** Best effort: two writers at the same moment may still both succeed, and readers then take the first by key. */
async function refuseTwice(writer: ConfigWriter, address: Address, value: JsonObject, id: string | undefined) {
  const field = value['field_path']
  if (typeof field !== 'string') return
  for (const other of await writer.list(address.directory)) {
    if (!other.id.startsWith(address.scope) || other.value['field_path'] !== field) continue
    const otherId = other.id.slice(address.scope.length)
    if (otherId === id) continue
    throw refusal(400, `field_path ${field} is already decorated on this service by [${otherId}]`)
  }
}
