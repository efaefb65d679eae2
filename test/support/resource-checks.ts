/**
 * A resource check over resources that a test writes down, and stand-in plugins for it. Test equipment: no store, no
 * real plugin.
 */
import type { JsonObject, JsonSchema } from '../../src/base/json.ts'
import type { Resource } from '../../src/config/store.ts'
import { createCatalogue } from '../../src/plugin/catalogue.ts'
import type { AnyPlugin } from '../../src/plugin/plugin.ts'
import { kinds } from '../../src/resources/index.ts'
import type { Lookup } from '../../src/resources/kind.ts'
import { createResourceCheck, type ResourceCheck } from '../../src/snapshot/check.ts'

/** Key (`routes/1`) → value. */
export type Stored = Readonly<Record<string, JsonObject>>

/** The lookup that a store with these resources would be. */
export function lookupOf(stored: Stored): Lookup {
  const resources: Resource[] = Object.entries(stored).map(([key, value], at) => {
    const slash = key.indexOf('/')
    return { kind: key.slice(0, slash), id: key.slice(slash + 1), value, createdIndex: at + 1, modifiedIndex: at + 1 }
  })
  return {
    get: (kind, id) => resources.find((resource) => resource.kind === kind && resource.id === id),
    all: (kind) => resources.filter((resource) => resource.kind === kind),
  }
}

/** A plugin that does nothing. */
export function pluginOf(name: string, subsystem: 'http' | 'stream', more: Partial<AnyPlugin> = {}): AnyPlugin {
  const schema: JsonSchema = {
    type: 'object',
    properties: { count: { type: 'integer', minimum: 1 }, key: { type: 'string', default: 'remote_addr' } },
  }
  return { name, subsystem, priority: 1, version: 0.1, schema, create: () => ({}), ...more }
}

export interface CheckOptions {
  readonly stored?: Stored
  readonly plugins?: readonly AnyPlugin[]
  readonly keyring?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}

export function checkOf({
  stored = {},
  plugins = [],
  keyring = [],
  environment = {},
}: CheckOptions = {}): ResourceCheck {
  return createResourceCheck({
    kinds,
    catalogue: createCatalogue({ built: plugins }),
    lookup: lookupOf(stored),
    keyring,
    environment: (name) => environment[name],
  })
}
