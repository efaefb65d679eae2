/** A log whose file and level may be changed while others hold on to it. */
import { isLogLevel, type Log, type LogFields } from './log.ts'
import { createLogger, type Logger } from './logger.ts'

export class SwitchableLog implements Log {
  readonly #worker: string | number
  #destination: string
  #level: string
  #logger: Logger

  /** Opens the destination at once and throws when it cannot. */
  constructor(destination: string, level: string, worker: string | number) {
    this.#worker = worker
    this.#destination = destination
    this.#level = level
    this.#logger = this.#open(destination, level)
  }

  #open(destination: string, named: string): Logger {
    const level = isLogLevel(named) ? named : 'warn'
    return createLogger({ destination, level, worker: this.#worker })
  }

  /** Goes on elsewhere or at another level; the same values again change nothing. Throws when the new file cannot be opened. */
  configure(destination: string, level: string): void {
    if (destination === this.#destination && level === this.#level) return
    const before = this.#logger
    this.#logger = this.#open(destination, level)
    this.#destination = destination
    this.#level = level
    void before.close()
  }

  debug(fields: LogFields, message: string): void {
    this.#logger.debug(fields, message)
  }
  info(fields: LogFields, message: string): void {
    this.#logger.info(fields, message)
  }
  warn(fields: LogFields, message: string): void {
    this.#logger.warn(fields, message)
  }
  error(fields: LogFields, message: string): void {
    this.#logger.error(fields, message)
  }
  /** For what an operator should see at the usual levels without anything being wrong: start, reload, stop. */
  notice(fields: LogFields, message: string): void {
    this.#logger.notice(fields, message)
  }

  reopen(): void {
    this.#logger.reopen()
  }
  flushSync(): void {
    this.#logger.flushSync()
  }
  close(): Promise<void> {
    return this.#logger.close()
  }
}
