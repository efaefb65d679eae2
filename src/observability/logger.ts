/**
 * The error log of one thread: JSON lines with nginx's level names, written by pino. Secrets are blanked, storms of one message are
 * cut short and counted, and no line ever waits for the disk. Who may log what is decided by those who call it.
 */
import { pino } from 'pino'
import { after, type Timer } from '../base/timers.ts'
import { type Log, type LogFields, type LogLevel, logLevels } from './log.ts'
import { LogFile, type LogTrouble } from './log-file.ts'
import { redactFields, redactText } from './redact.ts'
import { StormGuard } from './storm-guard.ts'

export interface LoggerOptions {
  /** A path (its directory is made), `stderr`, `stdout` or `off`: `nginx_config.error_log`. */
  readonly destination: string
  readonly level: LogLevel
  /** Who speaks: `main`, or the worker's number. */
  readonly worker: string | number
  /** How often a second one message may be written. Default 100. */
  readonly perSecond?: number
  /** Bytes that may wait for a slow disk before lines are dropped. Default 1 MiB. */
  readonly maxPendingBytes?: number
}

/** The log with what its owner may do to it. Children share the file, the guard and the level. */
export interface Logger extends Log {
  notice(fields: LogFields, message: string): void
  crit(fields: LogFields, message: string): void
  alert(fields: LogFields, message: string): void
  emerg(fields: LogFields, message: string): void
  /** The same log with these fields in every line. */
  child(fields: LogFields): Logger
  /** Goes on in a new file of the same name, after a rotation. */
  reopen(): void
  /** Writes what is pending, and what storms held back, before it returns. */
  flushSync(): void
  /** Flushes and closes the file. A line that comes later is written before its call returns. */
  close(): Promise<void>
}

type Write = (level: LogLevel, fields: LogFields, message: string) => void

/** Opens the destination at once and throws when it cannot. */
export function createLogger(options: LoggerOptions): Logger {
  const file = new LogFile({
    destination: options.destination,
    maxPendingBytes: options.maxPendingBytes ?? 1 << 20,
    onTrouble: (trouble) => tellStderr(options, trouble),
  })
  const lines = pino(
    {
      level: options.level,
      customLevels: logLevels,
      useOnlyCustomLevels: true,
      base: { worker: options.worker },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    file,
  )
  const sink = new Sink((level, fields, message) => lines[level](fields, message), file, options)
  return new ThreadLogger(sink, undefined)
}

/** What all children of one logger share. */
class Sink {
  readonly file: LogFile
  readonly #least: number
  readonly #line: Write
  readonly #guard: StormGuard
  #sweeper: Timer | undefined

  constructor(line: Write, file: LogFile, options: LoggerOptions) {
    this.file = file
    this.#least = logLevels[options.level]
    this.#line = line
    this.#guard = new StormGuard(options.perSecond === undefined ? {} : { perSecond: options.perSecond })
    this.#sweeper = undefined
  }

  write(level: LogLevel, bound: LogFields | undefined, fields: LogFields, message: string): void {
    if (logLevels[level] < this.#least) return
    const now = performance.now()
    if (this.#guard.due(now)) this.sweep()
    if (!this.#guard.admit(level, message, now)) {
      this.#sweeper ??= after(1000, () => this.sweep())
      return
    }
    this.#line(level, redactFields(bound === undefined ? fields : { ...bound, ...fields }), redactText(message))
  }

  sweep(): void {
    this.#sweeper?.cancel()
    this.#sweeper = undefined
    for (const { level, message, count } of this.#guard.sweep()) {
      this.#line(level as LogLevel, { suppressed: count }, `repeated too often and not written: ${redactText(message)}`)
    }
  }
}

class ThreadLogger implements Logger {
  readonly #sink: Sink
  readonly #bound: LogFields | undefined

  constructor(sink: Sink, bound: LogFields | undefined) {
    this.#sink = sink
    this.#bound = bound
  }

  debug(fields: LogFields, message: string): void {
    this.#sink.write('debug', this.#bound, fields, message)
  }

  info(fields: LogFields, message: string): void {
    this.#sink.write('info', this.#bound, fields, message)
  }

  notice(fields: LogFields, message: string): void {
    this.#sink.write('notice', this.#bound, fields, message)
  }

  warn(fields: LogFields, message: string): void {
    this.#sink.write('warn', this.#bound, fields, message)
  }

  error(fields: LogFields, message: string): void {
    this.#sink.write('error', this.#bound, fields, message)
  }

  crit(fields: LogFields, message: string): void {
    this.#sink.write('crit', this.#bound, fields, message)
  }

  alert(fields: LogFields, message: string): void {
    this.#sink.write('alert', this.#bound, fields, message)
  }

  emerg(fields: LogFields, message: string): void {
    this.#sink.write('emerg', this.#bound, fields, message)
  }

  child(fields: LogFields): Logger {
    return new ThreadLogger(this.#sink, { ...this.#bound, ...fields })
  }

  reopen(): void {
    this.#sink.file.reopen()
  }

  flushSync(): void {
    this.#sink.sweep()
    this.#sink.file.flushSync()
  }

  close(): Promise<void> {
    this.#sink.sweep()
    return this.#sink.file.close()
  }
}

/** When the error log itself cannot be written, standard error is all that is left. */
function tellStderr(options: LoggerOptions, trouble: LogTrouble): void {
  const { droppedLines, error } = trouble
  const line = {
    level: 'alert',
    worker: options.worker,
    destination: options.destination,
    droppedLines,
    error: error?.message,
  }
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), ...line, msg: 'the error log lost lines' })}\n`,
  )
}
