/** What is kept of each HTTP exchange: its line in the access log. */
import { compileLogFormat, type LogFormat } from '../base/log-format.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import { type AccessLog, createAccessLog } from '../observability/access-log.ts'
import type { Log } from '../observability/log.ts'
import type { HttpConf } from './messages.ts'

/** As nginx's `flush=3`. */
const flushMs = 3000

export class HttpRecords {
  /** Requests that have ended. */
  requests = 0
  readonly #log: Log
  #accessLog: AccessLog | undefined
  #format: LogFormat | undefined
  #settings: HttpConf['accessLog']
  /** Whose line is being written. */
  #exchange: HttpSession | undefined
  readonly #read = (name: string): string | undefined => this.#exchange?.variable(name)

  constructor(conf: HttpConf, log: Log) {
    this.#log = log
    this.configure(conf)
  }

  /** Puts other settings in force; an unchanged log goes on as it is. Throws, and changes nothing, when the file cannot be opened. */
  configure({ accessLog: wanted }: HttpConf): void {
    const had = this.#settings
    const format = wanted === undefined ? undefined : compileLogFormat(wanted.format, wanted.escape)
    if (had?.path !== wanted?.path || had?.bufferBytes !== wanted?.bufferBytes) {
      const before = this.#accessLog
      this.#accessLog =
        wanted === undefined
          ? undefined
          : createAccessLog({
              destination: wanted.path,
              bufferBytes: wanted.bufferBytes,
              flushMs,
              log: this.#log,
            })
      void before?.close()
    }
    this.#format = format
    this.#settings = wanted
  }

  ended(exchange: HttpSession): void {
    this.requests++
    if (this.#format === undefined || this.#accessLog === undefined) return
    this.#exchange = exchange
    this.#accessLog.write(this.#format.render(this.#read))
    this.#exchange = undefined
  }

  reopen(): void {
    this.#accessLog?.reopen()
  }

  async close(): Promise<void> {
    await this.#accessLog?.close()
  }
}
