/**
 * Runs plugins over exchanges as the road does, without a road: checked configurations, the real host, every phase in order,
 * an endpoint that answers as the test says. For unit tests of plugins.
 */
import assert from 'node:assert/strict'
import type { Clock } from '../../src/base/clock.ts'
import type { Json, JsonObject } from '../../src/base/json.ts'
import { attachSharedCounters, createSharedCounters } from '../../src/base/shared-counters.ts'
import { attachSharedWindows, createSharedWindows } from '../../src/base/shared-windows.ts'
import type { Exchange } from '../../src/exchange/exchange.ts'
import type { HeaderList } from '../../src/exchange/header-list.ts'
import type { ResponseHead } from '../../src/exchange/http-exchange.ts'
import { Metrics } from '../../src/observability/metrics.ts'
import { composeAnswer } from '../../src/plugin/answer.ts'
import { startFilters } from '../../src/plugin/body-pipe.ts'
import { createCatalogue, type PluginCatalogue } from '../../src/plugin/catalogue.ts'
import type { Chain } from '../../src/plugin/chain.ts'
import { type HeldUpstream, PluginHost } from '../../src/plugin/host.ts'
import { mergeLayers, type PluginSet } from '../../src/plugin/merge.ts'
import type { Answer, AnyPlugin } from '../../src/plugin/plugin.ts'
import { runLog, runSteps } from '../../src/plugin/run.ts'
import { compileExpression } from '../../src/route/expression.ts'
import { ConsumerIndex } from '../../src/snapshot/consumer-index.ts'
import { type Fields, httpExchange, responseHead, type TestExchange, type TestRequest } from './http-exchange.ts'

export interface BenchOptions {
  /** By which windows and states of limits end. Default: the system's. */
  readonly clock?: Clock
  /** `plugin_metadata` by plugin. Change it, and plugins see the change. */
  readonly metadata?: Record<string, JsonObject>
  /** `plugin_attr` by plugin. */
  readonly attributes?: Readonly<Record<string, Json>>
  /** Resources by key: `consumers/jack`, `consumers/jack/credentials/a`; what the key says is filled in. */
  readonly consumers?: Readonly<Record<string, JsonObject>>
  readonly upstreams?: Pick<Parameters<PluginHost['surround']>[0], 'upstreamById' | 'upstream'>
}

/** What an endpoint answers. Default: 200 with the body `upstream`. */
export interface UpstreamAnswer {
  readonly status?: number
  readonly headers?: Fields
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[]
}

export interface Passage {
  readonly exchange: TestExchange
  /** What a plugin ended the exchange with; undefined: it reached the endpoint. */
  readonly answer: Answer | undefined
  /** The answer as it would leave. */
  readonly status: number
  readonly head: ResponseHead
  readonly headers: HeaderList
  readonly body: string
  readonly bytes: Uint8Array
}

const bodyLimits = { readableBytes: 1024 * 1024, graphqlBytes: 1024 * 1024, collectBytes: 64 * 1024 * 1024 }

export class PluginBench {
  readonly host: PluginHost
  readonly catalogue: PluginCatalogue
  readonly consumers: ConsumerIndex
  /** What plugins counted. */
  readonly metrics = new Metrics({ maxSeries: 1000, onOverflow() {} })
  /** Messages of the log, with the message of the error where there is one. */
  readonly logged: string[] = []
  readonly #chains: Chain[] = []

  constructor(plugins: AnyPlugin | readonly AnyPlugin[], options: BenchOptions = {}) {
    const all = [plugins].flat() as readonly AnyPlugin[]
    const note = (fields: object, message: string): void => {
      const { error } = fields as { error?: unknown }
      this.logged.push(error instanceof Error ? `${message}: ${error.message}` : message)
    }
    const log = { debug() {}, info() {}, warn: note, error: note }
    const names = (subsystem: string) => all.filter((each) => each.subsystem === subsystem).map(({ name }) => name)
    this.catalogue = createCatalogue({ built: all, httpEnabled: names('http'), streamEnabled: names('stream') })
    this.host = new PluginHost({
      plugins: all,
      counters: attachSharedCounters(createSharedCounters({ slots: 1024, workers: 1 }), 0),
      windows: attachSharedWindows(
        createSharedWindows(1024),
        0,
        options.clock === undefined ? {} : { clock: options.clock },
      ),
      metrics: this.metrics,
      log,
      compileFilter: (filter) => {
        const { names, evaluate } = compileExpression(filter)
        return Object.assign((exchange: Exchange) => evaluate((name) => exchange.value(name)), { names })
      },
      loadBody: (exchange) => (exchange as TestExchange).bodyVariables.load(bodyLimits),
      attributes: (plugin) => options.attributes?.[plugin],
    })
    this.consumers = new ConsumerIndex({ host: this.host, log })
    const nothing = (): HeldUpstream => ({ cell: { current: undefined }, release: () => {} })
    this.host.surround({
      consumers: this.consumers,
      metadata: (plugin) => options.metadata?.[plugin],
      ...(options.upstreams ?? { upstreamById: nothing, upstream: nothing }),
    })
    for (const [key, value] of Object.entries(options.consumers ?? {})) this.#putConsumer(key, value)
  }

  /** A chain of plugins in one resource, checked and with defaults. `close` closes it. */
  chain(plugins: PluginSet, owner = 'routes/1'): Chain {
    const fault = this.catalogue.check(plugins as JsonObject, 'http')
    assert.equal(fault, undefined)
    const whole = this.catalogue.withDefaults(plugins as JsonObject, 'http') as PluginSet
    const chain = this.host.mergedChain(owner, mergeLayers({ origin: owner, plugins: whole }))
    this.#chains.push(chain)
    return chain
  }

  /** One request from its first phase to `log`. Rejects with what a step throws, after `log`. */
  async run(
    by: Chain | PluginSet,
    asked: TestRequest | TestExchange = {},
    upstream: UpstreamAnswer = {},
  ): Promise<Passage> {
    const chain = isChain(by) ? by : this.chain(by)
    const exchange = 'kind' in asked ? asked : httpExchange(asked)
    const failed = (error: unknown): void => assert.fail(`a plugin failed: ${String(error)}`)
    try {
      const answer = await this.#phases(chain, exchange)
      const composed = answer === undefined ? undefined : composeAnswer(answer)
      const parts = composed === undefined ? partsOf(upstream) : [composed.body]
      const head = composed?.head ?? responseHead(upstream.status ?? 200, upstream.headers)
      const added = exchange.addedHeaders
      for (let at = 0; added !== undefined && at < added.size; at++)
        head.headers.append(added.nameAt(at), added.valueAt(at))
      exchange.response = head
      exchange.status = head.status
      const pipe = startFilters(undefined, chain.headerFilter, exchange, head, failed)
      if (pipe !== undefined && !pipe.keepsLength) head.headers.delete('content-length')
      exchange.begun = true
      exchange.status = head.status
      const sent: Uint8Array[] = []
      const send = (part: Uint8Array, last: boolean): void => {
        // Lent both ways: whoever keeps something of it without a copy shall notice.
        const lent = Uint8Array.from(part)
        const out = pipe === undefined ? lent : pipe.part(lent, last)
        if (out !== undefined) sent.push(Uint8Array.from(out))
        lent.fill(0x21)
      }
      for (const part of parts) send(part, false)
      send(new Uint8Array(0), true)
      const bytes = Buffer.concat(sent)
      exchange.bodyBytesSent = bytes.length
      const { status, headers } = head
      return { exchange, answer, status, head, headers, bytes, body: bytes.toString() }
    } finally {
      exchange.endedAt = performance.now()
      runLog(chain.log ?? [], exchange, failed)
    }
  }

  /** Closes every chain that was made. */
  close(): void {
    for (const chain of this.#chains.splice(0)) chain.close()
  }

  async #phases(chain: Chain, exchange: TestExchange): Promise<Answer | undefined> {
    for (const phase of ['rewrite', 'access', 'beforeProxy'] as const) {
      const answer = await runSteps(chain[phase] ?? [], exchange)
      if (answer !== undefined) return answer
    }
    return undefined
  }

  #putConsumer(key: string, value: JsonObject): void {
    const [kind = '', username = '', ...rest] = key.split('/')
    const plugins = (value['plugins'] ?? {}) as JsonObject
    assert.equal(this.catalogue.check(plugins, 'consumer'), undefined)
    const whole = { username, ...value, plugins: this.catalogue.withDefaults(plugins, 'consumer') }
    this.consumers.put(kind, [username, ...rest].join('/'), whole)
  }
}

function isChain(by: Chain | PluginSet): by is Chain {
  return typeof (by as Chain).close === 'function'
}

function partsOf({ body = 'upstream' }: UpstreamAnswer): readonly Uint8Array[] {
  const parts = [body].flat() as readonly (string | Uint8Array)[]
  return parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
}
