/** What a plugin is: a value with a schema and a function that turns one configuration into phase functions. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { Exchange, StreamExchange } from '../exchange/exchange.ts'
import type { HttpExchange, ResponseHead } from '../exchange/http-exchange.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import type { ConsumerDirectory } from './consumer-directory.ts'

/**
 * A refusal or an answer by a plugin. In streams the link is closed and `status` reaches only logs and metrics. In HTTP an
 * object goes out as JSON and a line feed, text and bytes as they are; without a body, the gateway's page for that status.
 */
export interface Answer {
  readonly status: number
  readonly body?: string | Uint8Array | JsonObject
  readonly headers?: Readonly<Record<string, string>>
}

/** Undefined lets the exchange go on. The runner awaits only when handed a promise. */
export type Step<X> = (exchange: X) => Answer | undefined | Promise<Answer | undefined>

/** Sees the body of one answer, part by part; made by `headerFilter` for the exchanges that need it. */
export interface BodyFilter {
  /** The body keeps its length: Content-Length stays. Default false. */
  readonly keepsLength?: boolean
  /**
   * `bytes` is borrowed until this returns, and so is what it returns; undefined holds everything back for now. `last` is
   * true exactly once, in the last call, whose `bytes` may be empty.
   */
  part(bytes: Uint8Array, last: boolean): Uint8Array | undefined
}

export interface Phases {
  preread?: Step<StreamExchange>
  rewrite?: Step<HttpExchange>
  access?: Step<HttpExchange>
  /** Before each try; an upstream was chosen, no endpoint yet. */
  beforeProxy?: Step<HttpExchange>
  /** The head of whatever answer goes out, also the gateway's own, before it leaves. */
  headerFilter?(exchange: HttpExchange, head: ResponseHead): BodyFilter | undefined
  /** Every exchange ends here, refused ones too, if any earlier phase of the chain was due. */
  log?(exchange: Exchange): void
  /** When the last snapshot that uses it is gone. */
  close?(): void
}

/** What `create` may use. */
export interface Build {
  /** Counters that all workers share; names are the plugin's own business but must be unlike other plugins'. */
  readonly counters: SharedCounters
  /** Keeps a value across revisions for as long as some chain asks for it under the same key. */
  standing<T>(key: string, make: () => T): T
  /** Reports a fault that must not end the exchange. */
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
  /** Which resource the configuration stands in: `stream_routes/1`. */
  readonly owner: string
  /** Who may call: read while traffic runs, always the newest. */
  readonly consumers: ConsumerDirectory
  /** The plugin's `plugin_metadata` now; undefined: there is none. Read while traffic runs. */
  metadata(): JsonObject | undefined
  /** The plugin's `plugin_attr` of config.yaml; undefined: none. */
  readonly attributes: Json | undefined
  /**
   * The phases of another plugin under a configuration given here, for plugins that hold others (workflow, multi-auth).
   * Throws with the reason when there is no such plugin or the configuration is wrong. Closed by whoever made them.
   */
  phasesOf(name: string, conf: JsonObject): Phases
  /** An upstream resource by its id; its cell may be empty now and filled later. */
  upstreamById(id: string): UpstreamCell
  /** An upstream whose definition stands in the plugin's configuration; `key` tells several in one configuration apart. */
  upstream(key: string, value: JsonObject): UpstreamCell
  /** Compiles an expression in the form of route `vars`. Throws with the reason. */
  expression(json: Json): (exchange: Exchange) => boolean
}

export interface Plugin<Conf = never> {
  readonly name: string
  readonly priority: number
  readonly version: number
  readonly subsystem: 'stream' | 'http'
  readonly schema: JsonSchema
  /** `auth`: it finds out who calls; its configuration on a consumer is another than on a route. */
  readonly type?: 'auth'
  /** Of an auth plugin: the configuration that consumers and credentials have. */
  readonly consumerSchema?: JsonSchema
  /** Of the plugin's `plugin_metadata`; absent: any object will do. */
  readonly metadataSchema?: JsonSchema
  /** Fields (dotted paths) that are encrypted at rest. */
  readonly encryptedFields?: readonly string[]
  /** In a global rule it steps aside where the route has it as well. */
  readonly runPolicy?: 'prefer_route'
  /** What the schema cannot say; the message of the first fault. Runs on the control side. */
  check?(conf: Conf): string | undefined
  checkConsumer?(conf: JsonObject): string | undefined
  /** Once per configuration; no I/O. */
  create(conf: Conf, build: Build): Phases
}

/** Any plugin in a list: each narrows its own configuration by its own schema. */
export type AnyPlugin = Plugin<never>
