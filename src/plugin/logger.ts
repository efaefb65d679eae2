/** What loggers have in common: an exchange becomes an entry, entries become batches. Where they go is each logger's own. */
import type { JsonObject } from '../base/json.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import { BatchQueue, type BatchSettings, type Deliver } from './batch-queue.ts'
import type { BatchConf, LogConf, LogFormatConf } from './log-attributes.ts'
import { BodyKeeper } from './log-bodies.ts'
import { compileLogEntry, fullLogEntry, type LogEntry, type LogFormatter } from './log-entry.ts'
import type { Build, Phases } from './plugin.ts'

const defaultMaxPending = 8192

/** Phases that hand over one entry for each exchange. What is handed over holds nothing of the exchange. */
export function loggerPhases(
  conf: LogConf,
  build: Build,
  write: (entry: LogEntry, exchange: Exchange) => void,
  close: () => void,
): Phases {
  const bodies = new BodyKeeper(conf, build)
  const entries = new Entries(conf, build)
  const phases: Phases = {
    log(exchange) {
      const entry = entries.of(exchange, bodies)
      if (entry !== undefined) write(entry, exchange)
    },
    close,
  }
  if (bodies.access !== undefined) phases.access = bodies.access
  if (bodies.headerFilter !== undefined) phases.headerFilter = bodies.headerFilter
  return phases
}

/** The same for loggers that send batches. `close` is called when the last batch is gone. */
export function batchLoggerPhases(
  conf: LogConf & BatchConf,
  build: Build,
  deliver: Deliver<LogEntry>,
  close: () => void = () => {},
): Phases {
  const queue = new BatchQueue(batchSettings(conf, build), deliver, build)
  return loggerPhases(
    conf,
    build,
    (entry, exchange) => queue.push(entry, exchange),
    () => void queue.close().then(close),
  )
}

/** Attributes of the batch processor as settings of a queue; `max_pending_entries` of the metadata counts as it is now. */
export function batchSettings(conf: BatchConf, build: Pick<Build, 'metadata'>): BatchSettings {
  return {
    name: conf.name,
    batchMaxSize: conf.batch_max_size,
    inactiveMs: conf.inactive_timeout * 1000,
    bufferMs: conf.buffer_duration * 1000,
    maxRetryCount: conf.max_retry_count,
    retryDelayMs: conf.retry_delay * 1000,
    maxPending: () => (build.metadata()?.['max_pending_entries'] as number | undefined) ?? defaultMaxPending,
  }
}

interface Formats {
  readonly log_format?: LogFormatConf
  readonly log_format_extra?: LogFormatConf
}

/** Makes entries by the formats of the configuration and, where that has none, of the metadata. */
class Entries {
  readonly #conf: LogConf
  readonly #build: Build
  #metadata: JsonObject | undefined
  #format: LogFormatter | undefined
  #extra: LogFormatter | undefined

  constructor(conf: LogConf, build: Build) {
    this.#conf = conf
    this.#build = build
    this.#metadata = build.metadata()
    this.#compile()
    build.asksFor([...(this.#format?.names ?? []), ...(this.#extra?.names ?? [])])
  }

  /** Undefined, and told: of streams there is nothing to say by default. */
  of(exchange: Exchange, keeper: BodyKeeper): LogEntry | undefined {
    const metadata = this.#build.metadata()
    if (metadata !== this.#metadata) {
      this.#metadata = metadata
      this.#compile()
    }
    const bodies = keeper.take(exchange)
    if (bodies.response !== undefined) (exchange as HttpSession).setVariable('resp_body', bodies.response)
    if (this.#format === undefined) {
      if (exchange.kind === 'stream') {
        this.#build.log.error(
          { owner: this.#build.owner },
          "a logger's log_format is not set: the session is not logged",
        )
        return undefined
      }
      const full = fullLogEntry(exchange as HttpSession, bodies)
      for (const [member, value] of Object.entries(this.#extra?.entry(exchange) ?? {})) full[member] ??= value
      return full
    }
    const entry = this.#format.entry(exchange)
    const { route } = exchange
    if (route !== undefined) {
      entry['route_id'] = route.id
      if (route.serviceId !== undefined) entry['service_id'] = route.serviceId
    }
    return entry
  }

  #compile(): void {
    const { log_format: ofAll, log_format_extra: extraOfAll } = (this.#metadata ?? {}) as Formats
    const format = this.#conf.log_format ?? (isEmpty(ofAll) ? undefined : ofAll)
    const extra = this.#conf.log_format_extra ?? (isEmpty(extraOfAll) ? undefined : extraOfAll)
    this.#format = format === undefined ? undefined : compileLogEntry(format)
    this.#extra = extra === undefined ? undefined : compileLogEntry(extra)
  }
}

function isEmpty(format: LogFormatConf | undefined): boolean {
  return format === undefined || Object.keys(format).length === 0
}
