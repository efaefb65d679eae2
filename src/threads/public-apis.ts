/** What the main thread answers for routes of public-api: the numbers of all workers. One question at a time; who asks meanwhile shares it. */
import type { Answer } from '../plugin/plugin.ts'
import type { WorkerConf } from './messages.ts'

const usualUri = '/apisix/prometheus/metrics'
const contentType = 'text/plain; version=0.0.4; charset=utf-8'
const unavailable: Answer = { status: 500 }

export class PublicApis {
  readonly #ask: () => void
  #pending: PromiseWithResolvers<Answer> | undefined = undefined

  /** `ask` puts the question to the main thread, whose answer is for `told`. */
  constructor(ask: () => void) {
    this.#ask = ask
  }

  /** What answers there; undefined: nothing, or the plugin that it belongs to is not enabled. */
  find(conf: Pick<WorkerConf, 'plugins' | 'pluginAttributes'>, method: string, path: string) {
    const attributes = conf.pluginAttributes['prometheus'] as { readonly export_uri?: string } | undefined
    const isMetrics = path === (attributes?.export_uri ?? usualUri) && (method === 'GET' || method === 'HEAD')
    return isMetrics && conf.plugins.includes('prometheus') ? () => this.#metrics() : undefined
  }

  /** The answer of the main thread; undefined: there is none to be had. */
  told(text: string | undefined): void {
    const pending = this.#pending
    this.#pending = undefined
    const headers = { 'Content-Type': contentType }
    pending?.resolve(text === undefined ? unavailable : { status: 200, headers, body: text })
  }

  #metrics(): Promise<Answer> {
    if (this.#pending === undefined) {
      this.#pending = Promise.withResolvers()
      this.#ask()
    }
    return this.#pending.promise
  }
}
