/**
 * What a resource kind declares. Everything the Admin API, the store's checker and the standalone files do with a
 * kind is driven by this table entry; there is no code per kind beyond it.
 */
import type { JsonObject, JsonSchema } from '../base/json.ts'
import type { Resource } from '../config/store.ts'

/** A reference from one resource to another, found in its value. */
export interface Reference {
  /** Kind (directory) and id of what is referred to. */
  readonly kind: string
  readonly id: string
  /** What the user wrote it in, for messages: `upstream_id`, `plugins.traffic-split`. */
  readonly path: string
}

/** Read access to all resources, as a check needs it. */
export interface Lookup {
  get(kind: string, id: string): Resource | undefined
  all(kind: string): Iterable<Resource>
}

/** What a check may ask of its surroundings. Everything is optional knowledge: absent, the part is not checked. */
export interface CheckContext {
  readonly lookup: Lookup
  /** Checks a `plugins` object for the place it stands in; returns the message of the first fault. */
  readonly plugins: (plugins: JsonObject, place: 'http' | 'stream' | 'service' | 'consumer') => string | undefined
  /** Whether a plugin finds out who calls. */
  readonly isAuth: (plugin: string) => boolean
  /** Checks the value of a `plugin_metadata` resource. */
  readonly pluginMetadata: (name: string, value: JsonObject) => string | undefined
  /** Keys that may decrypt and do encrypt secrets at rest; empty: encryption is off. */
  readonly keyring: readonly string[]
  /** What `$env://NAME` stands for. */
  readonly environment: (name: string) => string | undefined
  /**
   * A client is writing. What only the Admin API refuses (a name or key that another resource has, an IPv6 address
   * without brackets) is let through when a store or file is loaded.
   */
  readonly writing: boolean
}

export interface ResourceKind {
  /** Directory in the store and path segment of the Admin API: `stream_routes`. */
  readonly name: string
  /** As in `not supported \`POST\` method for stream route`, `missing stream route id`. */
  readonly noun: string
  /** Name under `/schema/…`: `stream_route`. */
  readonly schemaName: string
  readonly schema: JsonSchema
  readonly methods: ReadonlySet<'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'>
  /** `id`: from URL or body, or generated; `username`: the field of that name; `name`: only from the URL, not stored checks. */
  readonly idFrom: 'id' | 'username' | 'plugin' | 'manager'
  /** Whether `create_time` and `update_time` are kept. */
  readonly times: boolean
  /** Directory of the parent whose id stands before this kind in the path (`consumers/{username}/credentials`). */
  readonly parent: string | undefined
  /** Fields that the list filter `filter=` knows. */
  readonly filters: readonly string[]
  references(value: JsonObject): readonly Reference[]
  /**
   * What the schema cannot say; called with a value that passed the schema. Returns the message of the first fault.
   * References are checked apart, from `references`.
   */
  check(value: JsonObject, context: CheckContext, id: string): string | undefined
  /** A part of the value that this version does not do yet, as a sentence; undefined: nothing. */
  unsupported(value: JsonObject): string | undefined
  /** What is stored: secrets encrypted. The argument is not changed. */
  seal(value: JsonObject, context: CheckContext): JsonObject
  /** What GET shows: secrets decrypted or left out. The argument is not changed. */
  show(value: JsonObject, context: CheckContext): JsonObject
  /**
   * The form that workers compile: defaults filled in, node maps as arrays, host names in lower case, numbers as ids
   * made text, secrets decrypted. Called with a value that passed schema and check. The argument is not changed.
   */
  normalize(value: JsonObject, context: CheckContext, id: string): JsonObject
}
