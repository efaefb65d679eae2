/**
 * Checks a whole configuration document item by item, for `/configs` and `/configs/validate`. References between items
 * are not looked at: a document may be one part of a larger whole.
 */
import type { Json, JsonObject } from '../base/json.ts'
import { type DocumentCheck, type DocumentKey, documentKeys } from '../config/api-driven.ts'
import { standaloneResource } from '../config/standalone-document.ts'
import type { ResourceCheck } from '../snapshot/check.ts'
import { isObject } from './patch.ts'
import { typeName } from './write-checks.ts'

/** One fault, as `/configs/validate` lists it. A fault of the key itself has no index. */
export interface DocumentFault {
  readonly resource_type: string
  readonly resource_id: string
  readonly index?: number
  readonly error: string
}

/** Every fault of a document, in the order of its keys. */
export function documentFaults(document: JsonObject, check: ResourceCheck): readonly DocumentFault[] {
  const faults: DocumentFault[] = []
  for (const key of documentKeys) {
    const version = document[`${key}_conf_version`]
    if (version !== undefined && typeof version !== 'number') {
      const error = `${key}_conf_version must be a number, got ${typeName(version)}`
      faults.push({ resource_type: key, resource_id: '', error })
    }
    faults.push(...itemFaults(key, document[key], check))
  }
  return faults
}

/** For `ApiDrivenSource`: the first fault of the items of one key. */
export function createDocumentCheck(check: ResourceCheck): DocumentCheck {
  return {
    items(key, items) {
      const [first] = itemFaults(key, items as readonly Json[], check)
      return first?.error
    },
  }
}

function* itemFaults(key: DocumentKey, items: unknown, check: ResourceCheck): Generator<DocumentFault> {
  if (items === undefined || items === null) return
  if (!Array.isArray(items)) {
    // an empty object is how some writers spell an empty list
    if (isObject(items) && Object.keys(items).length === 0) return
    yield { resource_type: key, resource_id: '', error: `${key} must be an array, got ${typeName(items)}` }
    return
  }
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const fault = (error: string) => ({ resource_type: key, resource_id: resourceId(item), index, error })
    const message = itemFault(key, item, index, check)
    if (message !== undefined) yield fault(`invalid ${key} at index ${index}, err: ${message}`)
    const duplicate = isObject(item) ? duplicateOf(key, item, seen) : undefined
    if (duplicate !== undefined) yield fault(duplicate)
  }
}

function itemFault(key: DocumentKey, item: unknown, index: number, check: ResourceCheck): string | undefined {
  if (!isObject(item)) return `invalid configuration: wrong type: expected object, got ${typeName(item)}`
  if (key === 'plugins') return undefined
  const { modifiedIndex } = item
  if (modifiedIndex !== undefined && !Number.isInteger(modifiedIndex)) {
    const got = typeName(modifiedIndex)
    return `invalid configuration: property "modifiedIndex" validation failed: wrong type: expected integer, got ${got}`
  }
  const { id, value } = standaloneResource(key, item, index, 0)
  if (key === 'secrets' && !id.includes('/')) return `invalid secret id: ${id}`
  // as loaded, not as written: what the document replaces must not count as a duplicate of what is in it
  return check.checkLoaded(key, id, value)
}

function duplicateOf(key: DocumentKey, item: JsonObject, seen: Set<string>): string | undefined {
  const identifier = item['id'] ?? (key === 'consumers' ? item['username'] : undefined)
  if (identifier === undefined || identifier === null) return undefined
  const text = String(identifier)
  if (!seen.has(text)) {
    seen.add(text)
    return undefined
  }
  const word = key !== 'consumers' ? 'id' : item['id'] === undefined ? 'username' : 'credential id'
  return `found duplicate ${word} ${text} in ${key}`
}

function resourceId(item: unknown): string {
  if (!isObject(item)) return ''
  const id = item['id'] ?? item['username']
  return id === undefined || id === null ? '' : String(id)
}
