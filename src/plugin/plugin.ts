/** What a plugin is: a value with a schema and a function that turns one configuration into phase functions. */
import type { JsonSchema } from '../base/json.ts'
import type { SharedCounters } from '../base/shared-counters.ts'
import type { Exchange, StreamExchange } from '../exchange/exchange.ts'

/** A refusal by a plugin. In streams the link is closed and `status` reaches only logs and metrics. */
export interface Answer {
  readonly status: number
  readonly body?: string
}

/** Undefined lets the exchange go on. The runner awaits only when handed a promise. */
export type Step<X> = (exchange: X) => Answer | undefined | Promise<Answer | undefined>

export interface Phases {
  preread?: Step<StreamExchange>
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
  /** Which resource the configuration stands in: `stream_route#1`. */
  readonly owner: string
}

export interface Plugin<Conf = never> {
  readonly name: string
  readonly priority: number
  readonly version: number
  readonly subsystem: 'stream' | 'http'
  readonly schema: JsonSchema
  /** Of the plugin's `plugin_metadata`; absent: any object will do. */
  readonly metadataSchema?: JsonSchema
  /** What the schema cannot say; the message of the first fault. Runs on the control side. */
  check?(conf: Conf): string | undefined
  /** Once per configuration; no I/O. */
  create(conf: Conf, build: Build): Phases
}

/** Any plugin in a list: each narrows its own configuration by its own schema. */
export type AnyPlugin = Plugin<never>
