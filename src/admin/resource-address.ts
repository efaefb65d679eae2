/**
 * From the segments of an Admin API path to the resource they mean and its key in the store. The one place that
 * knows how nested paths (`consumers/jack/credentials/a`, `secrets/vault/1`) lie in the store.
 */
import type { ResourceKind } from '../resources/kind.ts'

export interface Address {
  readonly kind: ResourceKind
  /** First segment of the store's key: what `ConfigWriter` calls the kind. */
  readonly directory: string
  /** What stands between the directory and the own id, with its slash: `vault/`, `jack/credentials/`, or nothing. */
  readonly scope: string
  /** The id of the parent, for nested kinds. */
  readonly parentId: string | undefined
  /** The own id; undefined: the whole collection. */
  readonly id: string | undefined
  /** What follows the id, for PATCH. */
  readonly subPath: readonly string[]
}

/** The kinds by path and by name. Built once per server. */
export class ResourceTable {
  readonly #byName = new Map<string, ResourceKind>()
  readonly #bySchema = new Map<string, ResourceKind>()
  readonly #children = new Map<string, Map<string, ResourceKind>>()

  constructor(kinds: readonly ResourceKind[]) {
    for (const kind of kinds) {
      this.#byName.set(kind.name, kind)
      this.#bySchema.set(kind.schemaName, kind)
      if (kind.parent === undefined) continue
      const siblings = this.#children.get(kind.parent) ?? new Map<string, ResourceKind>()
      this.#children.set(kind.parent, siblings.set(kind.name, kind))
    }
  }

  named(name: string): ResourceKind | undefined {
    return this.#byName.get(name)
  }

  withSchema(schemaName: string): ResourceKind | undefined {
    return this.#bySchema.get(schemaName)
  }

  /** Whether resources of this kind have others below them in the store. */
  hasChildren(kind: ResourceKind): boolean {
    return this.#children.has(kind.name)
  }

  /** The names of the kinds that live below this one, and go with it. */
  children(kind: ResourceKind): Iterable<string> {
    return this.#children.get(kind.name)?.keys() ?? []
  }

  /** `segments` begin after `/apisix/admin`. Undefined: no kind can be reached by this path. */
  address(segments: readonly string[]): Address | undefined {
    const [first = '', second, third] = segments
    const kind = this.#byName.get(first)
    if (kind === undefined || kind.parent !== undefined) return undefined
    const child = third === undefined ? undefined : this.#children.get(first)?.get(third)
    if (child !== undefined && second !== undefined) {
      const scope = `${second}/${child.name}/`
      return { kind: child, directory: first, scope, parentId: second, id: segments[3], subPath: segments.slice(4) }
    }
    if (kind.idFrom === 'manager') {
      const scope = second === undefined ? '' : `${second}/`
      return { kind, directory: first, scope, parentId: undefined, id: third, subPath: segments.slice(3) }
    }
    return { kind, directory: first, scope: '', parentId: undefined, id: second, subPath: segments.slice(2) }
  }
}

/** The id under which the store knows a resource: all of its key behind the directory. */
export function storeId(address: Address, id: string): string {
  return address.scope + id
}

/** Whether a key of the address's directory belongs to the collection that the address names. */
export function inCollection(address: Address, id: string, hasChildren: boolean): boolean {
  if (address.kind.parent !== undefined) return id.startsWith(address.scope) && id.length > address.scope.length
  return !hasChildren || !id.includes('/')
}
