/** What is kept of each session: its numbers in the metrics, its line in the access log. */
import { compileLogFormat, type LogFormat } from '../base/log-format.ts'
import type { StreamSession } from '../exchange/stream-session.ts'
import type { DropReason } from '../net/wire.ts'
import { type AccessLog, createAccessLog } from '../observability/access-log.ts'
import type { Log } from '../observability/log.ts'
import { Metrics } from '../observability/metrics.ts'
import { StreamMetrics } from '../observability/stream-metrics.ts'
import type { WorkerConf } from './messages.ts'

/** As nginx's buffer: so much is gathered, for so long at most. */
const bufferBytes = 16 * 1024
const flushMs = 3000

export class SessionRecords {
  readonly metrics: Metrics
  readonly #stream: StreamMetrics
  readonly #log: Log
  #accessLog: AccessLog | undefined
  #format: LogFormat | undefined
  #settings: WorkerConf['accessLog']

  constructor(conf: WorkerConf, log: Log) {
    this.#log = log
    this.metrics = new Metrics({
      maxSeries: conf.metricSeries,
      onOverflow: (family) =>
        log.warn({ family, limit: conf.metricSeries }, 'metric_series is reached: new series are summed up'),
    })
    this.#stream = new StreamMetrics(this.metrics)
    this.#settings = undefined
    this.configure(conf)
  }

  /** Puts other settings of the access log in force; an unchanged log goes on as it is. Throws, and changes nothing, when the file cannot be opened. */
  configure(conf: WorkerConf): void {
    const wanted = conf.accessLog
    const had = this.#settings
    const format = wanted === undefined ? undefined : compileLogFormat(wanted.format, wanted.escape)
    if (had?.path !== wanted?.path) {
      const before = this.#accessLog
      this.#accessLog =
        wanted === undefined
          ? undefined
          : createAccessLog({ destination: wanted.path, bufferBytes, flushMs, log: this.#log })
      void before?.close()
    }
    this.#format = format
    this.#settings = wanted
  }

  started(exchange: StreamSession): void {
    this.#stream.opened(exchange.listener)
  }

  ended(exchange: StreamSession): void {
    const { downstream, upstream } = exchange
    const attempt = exchange.attempts.at(-1)
    this.#stream.closed({
      listenAddr: exchange.listener,
      route: exchange.route === undefined ? undefined : exchange.route,
      endpoint: attempt?.endpoint,
      fromClient: downstream.bytesRead,
      toClient: downstream.bytesWritten,
      fromEndpoint: upstream?.bytesRead ?? 0,
      toEndpoint: upstream?.bytesWritten ?? 0,
      shownBy: exchange.shownBy,
      error: exchange.error?.code,
      status: exchange.status,
      durationMs: exchange.endedAt - exchange.startedAt,
      connectMs:
        attempt === undefined || attempt.connectedAt === 0 ? undefined : attempt.connectedAt - attempt.startedAt,
    })
    if (this.#format !== undefined) this.#accessLog?.write(this.#format.render((name) => exchange.variable(name)))
  }

  /** A datagram that came in by this listener was not passed on. */
  dropped(listenAddr: string, reason: DropReason): void {
    this.#stream.dropped(listenAddr, reason, 1)
  }

  reopen(): void {
    this.#accessLog?.reopen()
  }

  async close(): Promise<void> {
    await this.#accessLog?.close()
  }
}
