/** Keys and values in etcd, as APISIX lays them out: `/apisix/routes/1` holds the JSON text of an object. */
import type { IKeyValue } from 'etcd3'
import type { JsonObject } from '../base/json.ts'
import type { Resource } from './store.ts'

/** Directories and keys below the prefix that hold no configuration: leases of data planes, and single values. */
const notConfiguration: ReadonlySet<string> = new Set(['data_plane', 'gen_id', 'plugins'])

/** Undefined: what the key names is no resource (a placeholder `/apisix/routes/`, a single value). */
export function parseKey(key: string, prefix: string): { kind: string; id: string } | undefined {
  if (!key.startsWith(`${prefix}/`)) return undefined
  const path = key.slice(prefix.length + 1)
  const slash = path.indexOf('/')
  if (slash <= 0 || slash === path.length - 1) return undefined
  const kind = path.slice(0, slash)
  return notConfiguration.has(kind) ? undefined : { kind, id: path.slice(slash + 1) }
}

/** Undefined: no resource. Throws an Error where it is one but its value is not the JSON text of an object. */
export function parsePair(pair: IKeyValue, prefix: string): Resource | undefined {
  const name = parseKey(pair.key.toString(), prefix)
  if (name === undefined) return undefined
  const value = JSON.parse(pair.value.toString()) as unknown
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('the value is not an object')
  return {
    ...name,
    value: value as JsonObject,
    createdIndex: Number(pair.create_revision),
    modifiedIndex: Number(pair.mod_revision),
  }
}

/** The end of the range of all keys that begin with this one: the last byte plus one. `/` is never 0xff. */
export function rangeEnd(start: Buffer): Buffer {
  const end = Buffer.from(start)
  end[end.length - 1] = (end.at(-1) ?? 0) + 1
  return end
}
