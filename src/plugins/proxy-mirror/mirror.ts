/** Sends copies of requests to one server, as HTTP/1.1, and throws the answers away. Which requests is not decided here. */
import { type ClientRequest, Agent as HttpAgent, type RequestOptions, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Build } from '#sdk'
import type { MirrorSettings } from './mirror-settings.ts'

export interface MirroredRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** Name, value, name, value. */
  readonly fields: readonly string[]
}

export class Mirror {
  readonly #url: URL
  readonly #settings: MirrorSettings
  readonly #log: Build['log']
  readonly #agent: HttpAgent
  #pending = 0
  /** What is told once is not told again until a copy has arrived. */
  #failing = false

  /** `origin`: scheme, host and port. */
  constructor(origin: string, settings: MirrorSettings, log: Build['log']) {
    this.#url = new URL(origin)
    this.#settings = settings
    this.#log = log
    // The timeout is that of connections without a copy under way: copies have their own.
    const options = { keepAlive: true, maxFreeSockets: 32, timeout: settings.idleMs }
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
  }

  /** Never throws: a copy that cannot be sent is reported. `body` is kept until it is sent. */
  send({ method, target, fields }: MirroredRequest, body: Uint8Array | undefined): void {
    if (this.#pending >= this.#settings.maxPending) return this.#failed(new Error('too many copies are under way'))
    const options: RequestOptions = {
      method,
      path: target,
      headers: fields,
      agent: this.#agent,
      timeout: this.#settings.connectMs,
      // The copy goes where the configuration says; who answers there has no say in anything.
      ...(this.#url.protocol === 'https:' ? { rejectUnauthorized: false } : {}),
    }
    try {
      const copy = this.#url.protocol === 'https:' ? requestHttps(this.#url, options) : requestHttp(this.#url, options)
      this.#pending++
      this.#follow(copy)
      copy.end(body)
    } catch (error) {
      this.#failed(error as Error)
    }
  }

  /** What is under way is cut. */
  close(): void {
    this.#failing = true
    this.#agent.destroy()
  }

  #follow(copy: ClientRequest): void {
    const { sendMs, readMs, maxAnswerBytes } = this.#settings
    const sending = (): unknown => copy.setTimeout(sendMs)
    copy.on('socket', (socket) => (socket.connecting ? socket.once('connect', sending) : sending()))
    copy.on('finish', () => copy.setTimeout(readMs))
    copy.on('timeout', () => copy.destroy(new Error('time is up')))
    copy.on('error', (error) => this.#failed(error))
    copy.on('close', () => this.#pending--)
    copy.on('response', (response) => {
      this.#failing = false
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (bytes > maxAnswerBytes) response.destroy()
      })
      response.on('error', () => undefined)
    })
  }

  #failed(error: Error): void {
    if (this.#failing) return
    this.#failing = true
    this.#log.warn({ mirror: this.#url.origin, error }, 'requests cannot be mirrored')
  }
}
