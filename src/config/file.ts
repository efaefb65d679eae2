/**
 * The configuration sources `yaml` and `json`: one file that somebody else writes, looked at every second. A file that cannot be used
 * leaves the last good one running. Nothing is ever written to it.
 */

import { readFileSync, statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../base/json.ts'
import { every, type Timer } from '../base/timers.ts'
import type { Log } from '../observability/log.ts'
import { ConfigError } from './config-error.ts'
import type { Environment } from './environment.ts'
import type { ConfigSource, SourceStatus } from './source.ts'
import { parseStandalone, readStandalone, type StandaloneDocument } from './standalone-document.ts'
import type { ResourceStore } from './store.ts'

export interface FileOptions {
  readonly file: string
  readonly format: 'yaml' | 'json'
  /** What `${{VAR}}` in the file stands for. */
  readonly env: Environment
  readonly log: Pick<Log, 'info' | 'error'>
  /** How often the file's time and size are looked at. Default 1000. */
  readonly checkMs?: number
}

/** What a file is known by between two looks; its content is read only when this differs. */
interface Stamp {
  readonly mtimeMs: number
  readonly size: number
  readonly ino: number
}

export class FileSource implements ConfigSource {
  readonly name: 'yaml' | 'json'
  readonly prefix = ''
  readonly writer = undefined
  readonly #options: FileOptions
  #stamp: Stamp | undefined
  #fault: string | undefined
  pluginsChanged: ConfigSource['pluginsChanged'] & {}
  #plugins: readonly JsonObject[] | undefined
  #checks: Timer | undefined

  constructor(options: FileOptions) {
    this.name = options.format
    this.#options = options
    this.#stamp = undefined
    this.#fault = undefined
    this.pluginsChanged = () => {}
    this.#plugins = undefined
    this.#checks = undefined
  }

  /** The list of enabled plugins that the file brings, as `{name, stream?}`; undefined: it brings none. */
  get plugins(): readonly JsonObject[] | undefined {
    return this.#plugins
  }

  /** Rejects with a ConfigError if the file cannot be used at all. */
  async follow(store: ResourceStore, signal: AbortSignal): Promise<void> {
    const { file, checkMs = 1000 } = this.#options
    if (signal.aborted) return
    this.#look(store)
    if (this.#fault !== undefined) throw new ConfigError({ file, path: '', line: undefined }, this.#fault)
    this.#checks?.cancel()
    const checks = every(checkMs, () => this.#look(store))
    this.#checks = checks
    signal.addEventListener('abort', () => checks.cancel(), { once: true })
  }

  status(): SourceStatus {
    return { provider: this.name, reachable: true, detail: this.#fault }
  }

  async close(): Promise<void> {
    this.#checks?.cancel()
  }

  #look(store: ResourceStore): void {
    const { file, format, env, log } = this.#options
    try {
      const { mtimeMs, size, ino } = statSync(file)
      if (this.#stamp?.mtimeMs === mtimeMs && this.#stamp.size === size && this.#stamp.ino === ino) return
      // noted before reading: what is written in between changes the time again and is read at the next look
      this.#stamp = { mtimeMs, size, ino }
      const version = Math.floor(mtimeMs / 1000)
      const document = readStandalone(parseStandalone(readFileSync(file, 'utf8'), format, env), version)
      this.#take(document, version, store)
    } catch (error) {
      // a file that was taken away is to be read again when it comes back, whatever its time
      if ((error as NodeJS.ErrnoException).code !== undefined) this.#stamp = undefined
      const reason = error instanceof Error ? error.message : String(error)
      if (reason !== this.#fault)
        log.error({ file, reason }, 'the configuration file cannot be used; the last good one stays')
      this.#fault = reason
    }
  }

  #take(document: StandaloneDocument, version: number, store: ResourceStore): void {
    const { file, log } = this.#options
    for (const reason of document.faults) log.error({ file, reason }, 'an item of the configuration file is left out')
    this.#fault = undefined
    if (!isDeepStrictEqual(this.#plugins, document.plugins)) {
      this.#plugins = document.plugins
      this.pluginsChanged(document.plugins)
    }
    store.replace(document.resources, version)
    log.info({ file, resources: document.resources.length }, 'the configuration file was read')
  }
}
