/** file-logger: appends a line of JSON for each exchange to a file, which several configurations may share. */
import { resolve } from 'node:path'
import {
  type AccessLog,
  type Build,
  checkExpression,
  createAccessLog,
  type Json,
  type JsonObject,
  type LogConf,
  logAttributes,
  logFault,
  logFormatsFault,
  loggerPhases,
  logMetadataAttributes,
  type Plugin,
} from '#sdk'

interface Conf extends LogConf {
  readonly path?: string
  /** Expressions of which one must hold; none: everything is logged. */
  readonly match?: Json[][]
}

/** Places that are no files. */
const streams = new Set(['stdout', 'stderr', 'off'])

interface OpenFile {
  readonly log: AccessLog
  readonly forget: () => void
}

export const fileLogger: Plugin<Conf> = {
  name: 'file-logger',
  priority: 399,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      path: { type: 'string', minLength: 1 },
      match: { type: 'array', maxItems: 20, items: { type: 'array' } },
      ...logAttributes,
    },
  },
  metadataSchema: {
    type: 'object',
    properties: { path: { type: 'string', minLength: 1 }, ...logMetadataAttributes },
  },
  checkMetadata: (metadata: JsonObject) => logFormatsFault(metadata),

  check(conf) {
    for (const expression of conf.match ?? []) {
      const fault = checkExpression(expression)
      if (fault !== undefined) return `failed to validate the 'match' expression: ${fault}`
    }
    return logFault(conf, checkExpression)
  },

  create(conf, build) {
    const matches = (conf.match ?? []).map((expression) => build.expression(expression))
    const files = new Files(build)
    return loggerPhases(
      conf,
      build,
      (entry, exchange) => {
        if (matches.length > 0 && !matches.some((holds) => holds(exchange))) return
        files.write(conf.path ?? (build.metadata()?.['path'] as string | undefined), JSON.stringify(entry))
      },
      () => files.close(),
    )
  },
}

/** The file of one configuration: another one when the metadata names another. */
class Files {
  readonly #build: Build
  #path: string | undefined
  #open: { readonly file: OpenFile; readonly release: () => void } | undefined
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(build: Build) {
    this.#build = build
    this.#path = undefined
    this.#open = undefined
  }

  write(path: string | undefined, line: string): void {
    if (path !== this.#path) {
      this.close()
      this.#path = path
    }
    this.#open ??= this.#hold(path)
    this.#open?.file.log.write(line)
  }

  close(): void {
    this.#open?.release()
    this.#open = undefined
  }

  #hold(path: string | undefined): { readonly file: OpenFile; readonly release: () => void } | undefined {
    if (performance.now() - this.#failedAt < retryMs) return undefined
    try {
      if (path === undefined) throw new Error('neither the plugin nor its metadata names a path')
      const file = openFile(path, this.#build)
      return { file, release: () => closeFile(file) }
    } catch (error) {
      this.#failedAt = performance.now()
      this.#build.log.error({ owner: this.#build.owner, path, error }, 'file-logger: the file cannot be opened')
      return undefined
    }
  }
}

/** A file that cannot be opened is tried again, but not with each request. */
const retryMs = 1000

function openFile(path: string, build: Build): OpenFile {
  const log = createAccessLog({
    destination: streams.has(path) ? path : resolve(build.home, path),
    bufferBytes: 0,
    flushMs: 1000,
    log: { debug() {}, info() {}, warn: build.log.warn, error: build.log.error },
  })
  const output = { flush: async () => log.flushSync(), reopen: () => log.reopen() }
  return { log, forget: build.output(output) }
}

function closeFile({ log, forget }: OpenFile): void {
  forget()
  void log.close()
}
