/**
 * PUT, POST, PATCH and DELETE of one resource, the same for every kind. Values are checked whole, stored as they were
 * sent (no defaults), and written only through the `ConfigWriter`.
 */
import type { Json, JsonObject } from '../base/json.ts'
import { type ConfigWriter, WriteError } from '../config/source.ts'
import type { Resource } from '../config/store.ts'
import type { ResourceKind } from '../resources/kind.ts'
import { danglingReference, usedBy } from '../resources/references.ts'
import type { ResourceCheck } from '../snapshot/check.ts'
import { bindToService, checkPatch, isCostDecoration } from './cost-decorations.ts'
import { isObject, mergePatch, replaceAt } from './patch.ts'
import { json, keyNotFound, type Reply, refusal } from './reply.ts'
import { type Address, storeId } from './resource-address.ts'
import { type ReadDeps, shownKey } from './resource-read.ts'
import { refuseId, refuseTimes, requireObject, settleId, withId } from './write-checks.ts'

export interface WriteDeps extends ReadDeps {
  readonly check: ResourceCheck
  /** Unix seconds. */
  readonly now: () => number
}

/** Stands for the id that a POST has not made yet; no resource can have it. */
const unborn = '+'

/** Stores a value as a whole: 201 when there was none, 200 when it replaced one. */
export async function putResource(
  deps: WriteDeps,
  address: Address,
  sent: Json | undefined,
  ttl: number | undefined,
): Promise<Reply> {
  const writer = writerOf(deps)
  const body = requireObject(sent)
  const settled = settleId(address, body)
  refuseTimes(body)
  const value = isCostDecoration(address)
    ? await bindToService(writer, address, settled.value, settled.id)
    : settled.value
  const id = await checkValue(deps, writer, address, settled.id, value)
  await requireParent(writer, address)
  const key = storeId(address, id)
  const old = address.kind.times ? await writer.read(address.directory, key) : undefined
  const stored = stamp(deps, address, deps.check.seal(address.directory, key, value), old?.value['create_time'])
  const { resource, created } = await writer.put(address.directory, key, stored, ttl === undefined ? {} : { ttl })
  return written(deps, created ? 201 : 200, resource)
}

/** Stores a value under an id of the store's making. */
export async function postResource(
  deps: WriteDeps,
  address: Address,
  sent: Json | undefined,
  ttl: number | undefined,
): Promise<Reply> {
  const writer = writerOf(deps)
  const body = requireObject(sent)
  refuseId(address, body)
  refuseTimes(body)
  const value = isCostDecoration(address) ? await bindToService(writer, address, body, undefined) : body
  await checkValue(deps, writer, address, undefined, value)
  await requireParent(writer, address)
  const id = await writer.nextId()
  const key = storeId(address, id)
  const stored = stamp(deps, address, deps.check.seal(address.directory, key, withId(id, value)), undefined)
  const options = ttl === undefined ? { expect: 0 } : { expect: 0, ttl }
  const { resource } = await writer.put(address.directory, key, stored, options)
  return written(deps, 201, resource)
}

/** Changes a stored value: by merging, or at a path below it. Written only if nobody else wrote in between. */
export async function patchResource(
  deps: WriteDeps,
  address: Address,
  sent: Json | undefined,
  ttl: number | undefined,
): Promise<Reply> {
  const writer = writerOf(deps)
  const { id, kind, subPath } = address
  if (id === undefined) throw refusal(400, kind.idFrom === 'manager' ? 'no secret id' : `missing ${kind.noun} id`)
  if (sent === undefined) throw refusal(400, 'missing new configuration')
  if (subPath.length === 0 && !isObject(sent)) throw refusal(400, 'invalid configuration')
  if (isCostDecoration(address) && isObject(sent)) await checkPatch(writer, address, sent, id)

  const key = storeId(address, id)
  const old = await writer.read(address.directory, key)
  if (old === undefined) return keyNotFound()
  const changed = change(opened(deps, old), subPath, sent)
  const settled = settleId(address, changed)
  await checkValue(deps, writer, address, settled.id, settled.value)
  const times: JsonObject = kind.times ? { update_time: patchTime(sent, subPath) ?? deps.now() } : {}
  const stored = { ...deps.check.seal(address.directory, key, settled.value), ...times }
  const options = ttl === undefined ? { expect: old.modifiedIndex } : { expect: old.modifiedIndex, ttl }
  const { resource } = await writer.put(address.directory, key, stored, options)
  return written(deps, 200, resource)
}

/** `force` leaves out the question who still uses it. What lives below the resource goes with it. */
export async function deleteResource(deps: WriteDeps, address: Address, force: boolean): Promise<Reply> {
  const writer = writerOf(deps)
  const { id, kind, directory } = address
  if (id === undefined) throw refusal(400, `missing ${kind.noun} id`)
  const key = storeId(address, id)
  const user = force || kind.parent !== undefined ? undefined : usedBy(kind.name, key, deps.store)
  if (user !== undefined) throw refusal(400, user)
  // children first: if this breaks off, the parent is still there to be deleted again
  for (const child of deps.table.children(kind)) await deleteBelow(writer, directory, `${key}/${child}/`)
  if (!(await writer.delete(directory, key))) return keyNotFound()
  return json(200, { deleted: '1', key: shownKey(deps.source, directory, key) })
}

async function deleteBelow(writer: ConfigWriter, directory: string, scope: string): Promise<void> {
  for (const { id } of await writer.list(directory)) {
    if (id.startsWith(scope)) await writer.delete(directory, id)
  }
}

function writerOf(deps: WriteDeps): ConfigWriter {
  const { source } = deps
  if (source.writer !== undefined) return source.writer
  throw new WriteError('read-only', `the configuration comes from ${source.name} and can not be written here`)
}

/** Schema, semantics, references. Returns the own id that the value is stored under. */
async function checkValue(
  deps: WriteDeps,
  writer: ConfigWriter,
  address: Address,
  id: string | undefined,
  value: JsonObject,
): Promise<string> {
  const { kind, directory } = address
  const message =
    deps.check.check(directory, storeId(address, id ?? unborn), value) ?? (await dangling(deps, writer, kind, value))
  if (message !== undefined) throw refusal(400, message)
  if (kind.idFrom !== 'username') return id ?? ''
  const name = String(value['username'])
  if (id !== undefined && id !== name) throw refusal(400, 'wrong username')
  return name
}

/**
 * The synced view answers nearly always. Where it knows nothing of what is referred to, the store itself is asked:
 * a tool that has just written an upstream may refer to it before the watch has brought it here.
 */
async function dangling(
  deps: WriteDeps,
  writer: ConfigWriter,
  kind: ResourceKind,
  value: JsonObject,
): Promise<string | undefined> {
  const message = danglingReference(kind, value, deps.store)
  if (message === undefined) return undefined
  const fresh = new Map<string, Resource>()
  for (const reference of kind.references(value)) {
    const found = await writer.read(reference.kind, reference.id)
    if (found !== undefined) fresh.set(`${reference.kind}/${reference.id}`, found)
  }
  const { store } = deps
  return danglingReference(kind, value, {
    get: (directory, id) => fresh.get(`${directory}/${id}`) ?? store.get(directory, id),
    all: (directory) => store.all(directory),
  })
}

async function requireParent(writer: ConfigWriter, { kind, directory, parentId }: Address): Promise<void> {
  if (kind.parent === undefined || parentId === undefined) return
  if ((await writer.read(directory, parentId)) !== undefined) return
  throw refusal(404, `${kind.parent.replace(/s$/, '')} not found`)
}

function change(old: JsonObject, subPath: readonly string[], sent: Json): JsonObject {
  if (subPath.length === 0) return mergePatch(old, sent as JsonObject)
  const changed = replaceAt(old, subPath, sent)
  if (changed === undefined) throw refusal(400, `invalid sub-path: /${subPath.join('/')}`)
  return changed
}

/** A PATCH of the whole value may set the time itself. */
function patchTime(sent: Json, subPath: readonly string[]): Json | undefined {
  return subPath.length === 0 && isObject(sent) ? (sent['update_time'] ?? undefined) : undefined
}

/** `created`: when the value that is replaced was made, if it says so. */
function stamp(deps: WriteDeps, { kind }: Address, value: JsonObject, created: Json | undefined): JsonObject {
  if (!kind.times) return value
  const now = deps.now()
  return { ...value, create_time: created ?? now, update_time: now }
}

/**
 * The stored value with its secrets readable, to merge into. What GET hides (keys of certificates) stays in its
 * stored form, which sealing leaves alone.
 */
function opened(deps: WriteDeps, { kind, id, value }: Resource): JsonObject {
  return { ...value, ...deps.check.show(kind, id, value) }
}

function written(deps: WriteDeps, status: number, { kind, id, value }: Resource): Reply {
  return json(status, { key: shownKey(deps.source, kind, id), value })
}
