/** GET of one resource and of a collection: from the store itself where there is one, else from this process's view. */
import type { ConfigSource } from '../config/source.ts'
import type { Resource, ResourceStore } from '../config/store.ts'
import type { Log } from '../observability/log.ts'
import type { ResourceCheck } from '../snapshot/check.ts'
import { filterList, listReply, pageOf } from './list.ts'
import { json, keyNotFound, type Reply } from './reply.ts'
import { type Address, inCollection, type ResourceTable, storeId } from './resource-address.ts'

export interface ReadDeps {
  readonly source: ConfigSource
  readonly store: ResourceStore
  readonly table: ResourceTable
  readonly check: Pick<ResourceCheck, 'show'>
  readonly log: Log
}

/** `/apisix/routes/1`: a key as replies show it. */
export function shownKey(source: ConfigSource, directory: string, id: string): string {
  return `${source.prefix}/${directory}/${id}`
}

export async function readOne(deps: ReadDeps, address: Address, id: string): Promise<Reply> {
  const key = storeId(address, id)
  const { writer } = deps.source
  const found = writer ? await writer.read(address.directory, key) : deps.store.get(address.directory, key)
  return found === undefined ? keyNotFound() : json(200, shown(deps, found))
}

/** A collection below a parent that has nothing in it is "not found": nothing marks its place in the store. */
export async function readList(deps: ReadDeps, address: Address, query: URLSearchParams): Promise<Reply> {
  const all = await collection(deps, address)
  if (all.length === 0 && address.kind.parent !== undefined) return keyNotFound()
  const found = filterList(address.kind, all, query, deps.log)
  return listReply(pageOf(found, query), found.length, (resource) => shown(deps, resource))
}

/** Every resource of the collection that an address names. */
export async function collection(deps: ReadDeps, address: Address): Promise<readonly Resource[]> {
  const { writer } = deps.source
  const all = writer ? await writer.list(address.directory) : [...deps.store.all(address.directory)]
  const nested = deps.table.hasChildren(address.kind)
  return all.filter(({ id }) => inCollection(address, id, nested))
}

function shown(deps: ReadDeps, { kind: directory, id, ...resource }: Resource) {
  return {
    key: shownKey(deps.source, directory, id),
    value: deps.check.show(directory, id, resource.value),
    createdIndex: resource.createdIndex,
    modifiedIndex: resource.modifiedIndex,
  }
}
