/**
 * The consumers of a worker with their credentials and groups: who has a key, found at once however many there are, and which
 * plugins come with whom. It checks no credential and makes no chain.
 */
import type { JsonObject } from '../base/json.ts'
import type { ConsumerInfo } from '../exchange/http-exchange.ts'
import type { Log } from '../observability/log.ts'
import type { ConsumerDirectory, ConsumerMatch } from '../plugin/consumer-directory.ts'
import type { PluginHost } from '../plugin/host.ts'
import { mergeLayers, type PlacedPlugins, type PluginSet } from '../plugin/merge.ts'
import { hasReference } from '../resources/secret-reference.ts'
import { type Credential, CredentialTables } from './credential-tables.ts'
import { Dependents } from './dependents.ts'

/** Plugins that are laid over those of routes. Equal only to itself: a change makes another one. */
export interface ConsumerOverlay {
  /** `consumers/jack`, or `consumer_groups/a` where the consumers have none of their own. */
  readonly owner: string
  readonly plugins: PlacedPlugins
}

export interface ConsumerPlugins {
  /** Undefined: routes are as they are for this consumer. */
  readonly overlay: ConsumerOverlay | undefined
  /** A resource that the consumer names and that does not exist, as a sentence. */
  readonly missing: string | undefined
}

export interface ConsumerIndexOptions {
  readonly host: Pick<PluginHost, 'typeOf'>
  readonly log: Log
}

interface Person {
  readonly username: string
  /** Its place in load order, and the consumer itself; undefined: only credentials have come so far. */
  order: number
  info: ConsumerInfo | undefined
  plugins: PluginSet
  readonly credentials: Map<string, { readonly order: number; readonly plugins: PluginSet }>
  found: readonly Credential[]
  /** Computed when first asked for, and forgotten when anything that it is made of changes. */
  overlay: ConsumerPlugins | undefined
}

const nothing: ConsumerPlugins = { overlay: undefined, missing: undefined }

export class ConsumerIndex implements ConsumerDirectory {
  /** Set by whoever keeps something for overlays: called for each that is not given out any more. */
  dropped: (overlay: ConsumerOverlay) => void = () => {}
  readonly #options: ConsumerIndexOptions
  readonly #people = new Map<string, Person>()
  readonly #groups = new Map<string, ConsumerOverlay>()
  /** Usernames by group. */
  readonly #membersOf = new Dependents()
  readonly #tables = new CredentialTables()
  #nextOrder = 0

  constructor(options: ConsumerIndexOptions) {
    this.#options = options
  }

  /** Consumers that are known, those included of whom only credentials are. */
  get size(): number {
    return this.#people.size
  }

  /** `kind` and `id` as in the store: `consumers` with `jack` or `jack/credentials/a`, `consumer_groups`. */
  put(kind: string, id: string, value: JsonObject | undefined): void {
    if (kind === 'consumer_groups') return this.#putGroup(id, value)
    const [username = '', , credential] = id.split('/')
    const person = this.#people.get(username) ?? this.#newPerson(username)
    if (credential === undefined) this.#putConsumer(person, value)
    else this.#putCredential(person, credential, value)
    this.#settle(person)
    if (person.info === undefined && person.credentials.size === 0) this.#people.delete(username)
  }

  find(plugin: string, field: string, value: string): ConsumerMatch | undefined {
    return this.#tables.find(plugin, field, value)
  }

  knows(plugin: string): boolean {
    return this.#tables.has(plugin)
  }

  named(username: string): ConsumerInfo | undefined {
    return this.#people.get(username)?.info
  }

  /** What comes with a consumer. One that is gone meanwhile brings nothing. */
  pluginsOf(username: string): ConsumerPlugins {
    const person = this.#people.get(username)
    if (person === undefined) return nothing
    person.overlay ??= this.#compose(person)
    return person.overlay
  }

  /** Every overlay is made anew: other plugins are enabled. */
  renew(): void {
    for (const person of this.#people.values()) this.#dropOverlay(person)
    for (const [id, group] of this.#groups) {
      this.dropped(group)
      this.#groups.set(id, { ...group })
    }
  }

  #newPerson(username: string): Person {
    const person = {
      username,
      order: 0,
      info: undefined,
      plugins: {},
      credentials: new Map(),
      found: [],
      overlay: undefined,
    }
    this.#people.set(username, person)
    return person
  }

  #putConsumer(person: Person, value: JsonObject | undefined): void {
    const { username } = person
    if (value !== undefined && person.info === undefined) person.order = this.#nextOrder++
    const groupId = value?.['group_id'] as string | undefined
    const labels = (value?.['labels'] ?? {}) as Readonly<Record<string, string>>
    person.info = value === undefined ? undefined : { username, groupId, credentialId: undefined, labels }
    person.plugins = pluginsIn(value)
    this.#membersOf.set(username, groupId === undefined ? [] : [groupId])
    this.#dropOverlay(person)
  }

  #putCredential(person: Person, id: string, value: JsonObject | undefined): void {
    if (value === undefined) person.credentials.delete(id)
    else {
      const order = person.credentials.get(id)?.order ?? this.#nextOrder++
      person.credentials.set(id, { order, plugins: pluginsIn(value) })
    }
  }

  #putGroup(id: string, value: JsonObject | undefined): void {
    const before = this.#groups.get(id)
    if (value === undefined) this.#groups.delete(id)
    else {
      const owner = `consumer_groups/${id}`
      this.#groups.set(id, { owner, plugins: mergeLayers({ origin: owner, plugins: pluginsIn(value) }) })
    }
    for (const username of this.#membersOf.of(id)) {
      const person = this.#people.get(username)
      if (person !== undefined) this.#dropOverlay(person)
    }
    if (before !== undefined) this.dropped(before)
  }

  /** Puts what the consumer and its credentials can be found by in the place of what there was. */
  #settle(person: Person): void {
    const { info, username } = person
    const found: Credential[] = []
    // A credential without its consumer is nobody's.
    if (info !== undefined) {
      this.#collect(found, person.order, info, person.plugins, `consumers/${username}`)
      for (const [credentialId, { order, plugins }] of person.credentials) {
        this.#collect(
          found,
          order,
          { ...info, credentialId },
          plugins,
          `consumers/${username}/credentials/${credentialId}`,
        )
      }
    }
    this.#tables.replace(person.found, found)
    person.found = found
  }

  #collect(found: Credential[], order: number, consumer: ConsumerInfo, plugins: PluginSet, owner: string): void {
    for (const [plugin, conf] of Object.entries(plugins)) {
      const usable = !hasReference(conf)
      if (!usable && this.#options.host.typeOf(plugin) === 'auth') {
        this.#options.log.error({ owner, plugin }, 'a secret that is referred to cannot be had; it identifies nobody')
      }
      found.push({ plugin, order, usable, match: { consumer, conf } })
    }
  }

  #compose({ username, info, plugins }: Person): ConsumerPlugins {
    const groupId = info?.groupId
    const group = groupId === undefined ? undefined : this.#groups.get(groupId)
    if (groupId !== undefined && group === undefined) {
      return { overlay: undefined, missing: `the consumer group ${groupId} of consumer ${username} does not exist` }
    }
    if (!this.#acts(plugins)) {
      return group !== undefined && Object.keys(group.plugins).length > 0
        ? { overlay: group, missing: undefined }
        : nothing
    }
    const owner = `consumers/${username}`
    const own = mergeLayers({ origin: owner, plugins })
    return { overlay: { owner, plugins: { ...group?.plugins, ...own } }, missing: undefined }
  }

  /** Some of the plugins do something on routes: those of type `auth` only say who the consumer is. */
  #acts(plugins: PluginSet): boolean {
    return Object.keys(plugins).some((name) => this.#options.host.typeOf(name) !== 'auth')
  }

  #dropOverlay(person: Person): void {
    const overlay = person.overlay?.overlay
    person.overlay = undefined
    if (overlay?.owner === `consumers/${person.username}`) this.dropped(overlay)
  }
}

function pluginsIn(value: JsonObject | undefined): PluginSet {
  return (value?.['plugins'] ?? {}) as PluginSet
}
