/** What a plugin is: a value with a schema and a function that turns one configuration into phase functions. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { SharedWindowTable } from '../base/shared-windows.ts'
import type { Template } from '../base/template.ts'
import type { Exchange, StreamExchange } from '../exchange/exchange.ts'
import type { HttpExchange, ResponseHead } from '../exchange/http-exchange.ts'
import type { Metrics } from '../observability/metrics.ts'
import type { UpstreamCell } from '../upstream/upstream.ts'
import type { ConsumerDirectory } from './consumer-directory.ts'
import type { Output } from './outputs.ts'

/**
 * A refusal or an answer by a plugin. In streams the link is closed and `status` reaches only logs and metrics. In HTTP an
 * object goes out as JSON and a line feed, text and bytes as they are; without a body, the gateway's page for that status.
 */
export interface Answer {
  readonly status: number
  readonly body?: string | Uint8Array | JsonObject | Json[]
  /** A list stands for several fields of that name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

/** Undefined lets the exchange go on. The runner awaits only when handed a promise. */
export type Step<X> = (this: void, exchange: X) => Answer | undefined | Promise<Answer | undefined>

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

/**
 * What codes a body as a whole asks for its turn: it is called when the header filters of all plugins have run, with the head that
 * they left, and its filter gets what theirs let out.
 */
export interface Coding {
  readonly code: (this: void, head: ResponseHead) => BodyFilter | undefined
}

/** What a plugin does under one configuration. All are called as plain functions: there is no `this` in them. */
export interface Phases {
  preread?: Step<StreamExchange>
  rewrite?: Step<HttpExchange>
  access?: Step<HttpExchange>
  /** Before each try; an upstream was chosen, no endpoint yet. */
  beforeProxy?: Step<HttpExchange>
  /** The head of whatever answer goes out, also the gateway's own, before it leaves. */
  headerFilter?(this: void, exchange: HttpExchange, head: ResponseHead): BodyFilter | Coding | undefined
  /** Every exchange ends here, refused ones too, if any earlier phase of the chain was due. */
  log?(this: void, exchange: Exchange): void
  /** When the last snapshot that uses it is gone. */
  close?(): void
}

export type PublicApi = () => Answer | Promise<Answer>

/** What `create` may use. */
export interface Build {
  /** Counters that all workers share; names are the plugin's own business but must be unlike other plugins'. */
  readonly counters: SharedCounters
  /** What this worker counts; shown by the metrics server as the sum of all workers. */
  readonly metrics: Metrics
  /** Windows of time that all workers share and none exceeds; names of scopes as with counters. */
  readonly windows: SharedWindowTable
  /**
   * Keeps a value across revisions for as long as some configuration of this plugin asks for it under the same key; `close`
   * is called when none does any more.
   */
  standing<T>(key: string, make: () => T, close?: (value: T) => void): T
  /** The folder that relative paths of configurations begin at. */
  readonly home: string
  /** Something that is sent or written later: flushed before the thread ends. Returns what takes it out again. */
  output(output: Output): () => void
  /** Reports a fault that must not end the exchange. */
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
  /** What the plugin runs for: `stream_routes/1`, `routes/1`, `global_rules`, `routes/1 consumers/jack`. */
  readonly owner: string
  /** Which resource the configuration stands in: `services/3` where a route has it from its service. */
  readonly origin: string
  /** Who may call: read while traffic runs, always the newest. */
  readonly consumers: ConsumerDirectory
  /** The plugin's `plugin_metadata` now; undefined: there is none. Read while traffic runs. */
  metadata(): JsonObject | undefined
  /** The plugin's `plugin_attr` of config.yaml; undefined: none. */
  readonly attributes: Json | undefined
  /**
   * The phases of another plugin under a configuration given here, for plugins that hold others (workflow, multi-auth).
   * Throws with the reason when there is no such plugin or the configuration is wrong. They are closed with whoever asked.
   */
  phasesOf(name: string, conf: JsonObject): Phases
  /** What a plugin that is enabled offers under that path for routes to show; undefined: nothing. Asked while traffic runs. */
  publicApi(method: string, path: string): PublicApi | undefined
  /** An upstream resource by its id; its cell may be empty now and filled later. */
  upstreamById(id: string): UpstreamCell
  /** An upstream that `mapUpstreams` finds in the plugin's configuration; `key` tells several in one configuration apart. */
  upstream(key: string, value: JsonObject): UpstreamCell
  /** Compiles an expression in the form of route `vars`. Throws with the reason. */
  expression(json: Json): (exchange: Exchange) => boolean
  /** Compiles a text with `$variables` in it; see `compileTemplate`. */
  template(text: string): Template
  /**
   * The phases will ask for these variables by names of their own. As with those in expressions and templates that were
   * compiled here, the body of the request is read before the first phase if one of them looks into it.
   */
  asksFor(variables: readonly string[]): void
}

/** What a plugin that holds others may ask about them while its configuration is checked. */
export interface OtherPlugins {
  /** The message of what is wrong with that configuration of that plugin, `unknown plugin [x]` included. */
  fault(name: string, conf: Json): string | undefined
  typeOf(name: string): Plugin['type'] | undefined
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
  /** What the schema cannot say; the message of the first fault. Defaults are filled in. Runs on the control side. */
  check?(conf: Conf, others: OtherPlugins): string | undefined
  /** The group that a configuration is in: all in it must say the same, and a write that differs is refused. As it is stored. */
  groupOf?(conf: JsonObject): string | undefined
  checkConsumer?(conf: JsonObject): string | undefined
  /**
   * A copy of a valid configuration in which `change` was applied to each upstream that stands in it. They are checked, sealed and
   * resolved like any other upstream, and `create` has them in their normal form, as `Build.upstream` wants them.
   */
  mapUpstreams?(conf: Conf, change: (upstream: JsonObject) => JsonObject): JsonObject
  checkMetadata?(metadata: JsonObject): string | undefined
  /** Once per configuration; no I/O. */
  create(conf: Conf, build: Build): Phases
}

/** Any plugin in a list: each narrows its own configuration by its own schema. */
export type AnyPlugin = Plugin<never>
