/**
 * The error log as those see it who write to it: four verbs and the levels' names.
 * Where lines go, how they are formed and what is left out of them is `logger.ts`.
 */

/** What is worth telling beside the message. An `Error` under `error` is written with its code and its causes. */
export type LogFields = Readonly<Record<string, unknown>>

/** All that most of the program knows of the log. `message` is constant text; what varies goes into `fields`. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** nginx's levels, the least important first; their numbers only order them. */
export const logLevels = {
  debug: 20,
  info: 30,
  notice: 35,
  warn: 40,
  error: 50,
  crit: 60,
  alert: 70,
  emerg: 80,
} as const

export type LogLevel = keyof typeof logLevels

/** Whether a text from the configuration (`error_log_level`) names a level. */
export function isLogLevel(text: string): text is LogLevel {
  return Object.hasOwn(logLevels, text)
}

/** For parts that are used without a log, such as in tests: everything is dropped. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
}
