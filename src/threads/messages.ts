/** What main and workers say to each other. Everything here survives a structured clone. */
import type { SharedMemory } from '../base/shared-counters.ts'
import type { CellMemory } from '../base/shared-windows.ts'
import type { Wire } from '../net/wire.ts'
import type { MetricsSnapshot } from '../observability/metrics-snapshot.ts'
import type { AddressChange, NormalChange } from '../snapshot/compiler.ts'

/** One port to listen on, on every worker. */
export interface ListenerSpec {
  /** `tcp 0.0.0.0:9100`: equal keys are the same socket. */
  readonly key: string
  readonly transport: 'tcp' | 'udp'
  readonly serves: 'stream' | 'http'
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** Whether config.yaml names it, or a stream route opened it. */
  readonly from: 'config' | 'route'
}

/** What workers need to know of config.yaml to serve HTTP. Times are ms, 0: no limit. */
export interface HttpConf {
  readonly router: 'radixtree_host_uri' | 'radixtree_uri' | 'radixtree_uri_with_parameter'
  readonly deleteUriTailSlash: boolean
  readonly normalizeUriLikeServlet: boolean
  readonly matchUriEncodedSlash: boolean
  readonly accessLog:
    | {
        readonly path: string
        readonly format: string
        readonly escape: 'default' | 'json' | 'none'
        readonly bufferBytes: number
      }
    | undefined
  readonly headerMs: number
  readonly bodyMs: number
  readonly idleMs: number
  readonly sendMs: number
  readonly maxLineBytes: number
  readonly maxHeadBytes: number
  readonly maxHeaders: number
  readonly maxBodyBytes: number
  readonly maxRequests: number
  readonly memoryBodyBytes: number
  readonly spillFolder: string
  readonly underscores: boolean
  readonly pool: { readonly size: number; readonly idleMs: number; readonly requests: number }
  /** undefined: the setting is absent. */
  readonly trustedAddresses: readonly string[] | undefined
  readonly server: string
  readonly showUpstreamStatus: boolean
  readonly sendServerName: boolean
  readonly maxReadBodyBytes: number
  readonly graphqlMaxBytes: number
  readonly charset: string
  readonly realIp: { readonly header: string; readonly recursive: boolean; readonly from: readonly string[] }
}

/** The settings of config.yaml that workers need. */
export interface WorkerConf {
  readonly home: string
  readonly errorLog: string
  readonly errorLogLevel: string
  readonly accessLog:
    | { readonly path: string; readonly format: string; readonly escape: 'default' | 'json' | 'none' }
    | undefined
  readonly reusePort: boolean
  readonly backlog: number
  readonly keepAliveMs: number
  readonly handshakeMs: number
  readonly helloMs: number
  readonly udpIdleMs: number
  readonly udpSessions: number
  /** Links (both sides) that this worker may hold. */
  readonly maxLinks: number
  /** What sets that limit, for people. */
  readonly maxLinksBy: string
  readonly metricSeries: number
  readonly consumerChains: number
  readonly fallbackSni: string | undefined
  readonly tlsProtocols: readonly string[]
  readonly tlsCiphers: string
  readonly sessionTickets: boolean
  /** PEM; undefined: the system's authorities. */
  readonly trusted: string | undefined
  /** Names of the plugins that are enabled. */
  readonly plugins: readonly string[]
  readonly streamPlugins: readonly string[]
  /** `plugin_attr` of config.yaml. */
  readonly pluginAttributes: Readonly<Record<string, unknown>>
  readonly http: HttpConf
  /** Files of the user's own plugins. */
  readonly extraPlugins: readonly string[]
  /** Another one: the files are loaded anew. */
  readonly pluginGeneration: number
}

/** Everything a worker starts with. */
export interface WorkerBoot {
  readonly index: number
  readonly conf: WorkerConf
  /** What main has chosen for all. */
  readonly wire: Wire['name']
  readonly counters: SharedMemory
  readonly windows: CellMemory
  /** What session ticket keys are derived from; the same for all workers. */
  readonly ticketSecret: Uint8Array
  readonly revision: number
  /** JSON of `NormalChange[]`: of ten thousand resources, text crosses to a thread several times as fast as objects. */
  readonly resources: string
  readonly addresses: readonly AddressChange[]
  readonly listeners: readonly ListenerSpec[]
}

export interface ListenFailure {
  readonly key: string
  /** The system's code: EADDRINUSE, EACCES, … */
  readonly code: string
  readonly message: string
}

/** Orders that are answered carry `seq`, and the answer carries it back. */
export type ToWorker =
  | { readonly type: 'changes'; readonly revision: number; readonly changes: readonly NormalChange[] }
  | { readonly type: 'addresses'; readonly changes: readonly AddressChange[] }
  /** What was asked for last. Undefined: it cannot be had. */
  | { readonly type: 'exposition'; readonly text: string | undefined }
  /** `resources` are those that other plugins give another normal form: in force at the same instant. */
  | {
      readonly type: 'conf'
      readonly seq: number
      readonly conf: WorkerConf
      readonly resources: readonly NormalChange[]
    }
  | {
      readonly type: 'listen'
      readonly seq: number
      readonly listeners: readonly ListenerSpec[]
      readonly lingerMs: number
    }
  | { readonly type: 'report'; readonly seq: number }
  | { readonly type: 'metrics'; readonly seq: number }
  | { readonly type: 'reopen'; readonly seq: number }
  /** Stop listening, let sessions end within `lingerMs`, then answer and exit. */
  | { readonly type: 'drain'; readonly seq: number; readonly lingerMs: number }

export interface WorkerReport {
  readonly revision: number
  readonly sessions: number
  readonly accepted: number
  readonly refused: number
  /** The one that main has chosen, or a worse one where this worker could not make that. */
  readonly wire: Wire['name']
}

export type FromWorker =
  | { readonly type: 'ready'; readonly failures: readonly ListenFailure[] }
  | { readonly type: 'applied'; readonly revision: number }
  /** What are the numbers of all workers, as the metrics server shows them? Not again before it is answered. */
  | { readonly type: 'ask'; readonly what: 'exposition' }
  | { readonly type: 'answer'; readonly seq: number; readonly value: unknown }
  /** An order could not be done; the worker goes on. */
  | { readonly type: 'refusal'; readonly seq: number; readonly reason: string }
  /** An exception that nobody caught: the worker asks to be replaced. */
  | { readonly type: 'fatal'; readonly message: string; readonly stack: string }

/** What the answers to orders hold. */
export interface Answers {
  conf: null
  listen: readonly ListenFailure[]
  report: WorkerReport
  metrics: MetricsSnapshot
  reopen: null
  drain: null
}
