/** The client of an HTTP soak that looks at every answer: on connections that are kept, on new ones, and over TLS. */
import * as http from 'node:http'
import * as https from 'node:https'
import type { TLSSocket } from 'node:tls'
import { gunzipSync } from 'node:zlib'

export interface Question {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** By a connection of its own. */
  readonly fresh?: boolean
  /** Over TLS, with this name; the certificate is verified. */
  readonly sni?: string
}

export interface Answered {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Unpacked if it came as gzip. */
  readonly body: Buffer
  /** Of the certificate that was shown on this connection; empty without TLS, or where a session was resumed. */
  readonly fingerprint: string
}

/** What an answer must be; what is left out may be anything. */
export interface Wanted {
  readonly status: number
  /** Undefined: the field must not be there. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: RegExp | Buffer
  readonly fingerprint?: string
}

const answerMs = 20_000
/** Shorter than the gateway keeps connections: it never closes one that a request is just being sent on. */
const idleMs = 15_000

export class HttpClient {
  readonly #ports: { readonly http: number; readonly https: number }
  readonly #ca: string
  readonly #kept = new http.Agent({ keepAlive: true, maxSockets: 8, timeout: idleMs })
  readonly #keptSecure = new https.Agent({ keepAlive: true, maxSockets: 4, timeout: idleMs })
  requests = 0

  constructor(ports: { readonly http: number; readonly https: number }, ca: string) {
    this.#ports = ports
    this.#ca = ca
  }

  /** Rejects when there is no whole answer within 20 s. */
  ask({ path, method = 'GET', headers = {}, body, fresh = false, sni }: Question): Promise<Answered> {
    this.requests += 1
    const common = { host: '127.0.0.1', path, method, headers, signal: AbortSignal.timeout(answerMs) }
    return new Promise((resolve, reject) => {
      const request =
        sni === undefined
          ? http.request({ ...common, port: this.#ports.http, agent: fresh ? false : this.#kept })
          : https.request({
              ...{ ...common, port: this.#ports.https, servername: sni, ca: this.#ca },
              agent: fresh ? false : this.#keptSecure,
            })
      request.on('error', reject)
      request.on('response', (response) => {
        const parts: Buffer[] = []
        const fingerprint = fingerprintOf(response)
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, headers: fields } = response
          const whole = Buffer.concat(parts)
          try {
            const isPacked = fields['content-encoding'] === 'gzip' && whole.length > 0
            resolve({ status, headers: fields, body: isPacked ? gunzipSync(whole) : whole, fingerprint })
          } catch (error) {
            reject(error)
          }
        })
      })
      request.end(body)
    })
  }

  /** Asks, and resolves with what is wrong about the answer: all that it was. */
  async check(question: Question, wanted: Wanted): Promise<string | undefined> {
    const { path, method = 'GET', headers, fresh = false, sni } = question
    const asked = `${method} ${path} ${JSON.stringify({ headers, fresh, sni })}`
    try {
      const answer = await this.ask(question)
      const fault = faultOf(answer, wanted)
      if (fault === undefined) return undefined
      const text = answer.body.toString('latin1', 0, 300)
      return `${asked}: ${fault}; the answer was ${answer.status} ${JSON.stringify(answer.headers)} ${JSON.stringify(text)}`
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      return `${asked}: ${code ?? ''} ${message}`
    }
  }

  /** Closes what is kept. */
  close(): void {
    this.#kept.destroy()
    this.#keptSecure.destroy()
  }
}

function faultOf({ status, headers, body, fingerprint }: Answered, wanted: Wanted): string | undefined {
  if (status !== wanted.status) return `status ${status} instead of ${wanted.status}`
  for (const [name, value] of Object.entries(wanted.headers ?? {})) {
    if (headers[name] !== value) return `${name} is ${headers[name]} instead of ${value}`
  }
  if (wanted.fingerprint !== undefined && fingerprint !== wanted.fingerprint) {
    return `the certificate is ${fingerprint} instead of ${wanted.fingerprint}`
  }
  if (wanted.body instanceof Buffer && !wanted.body.equals(body)) {
    return `${body.length} bytes that are not the ${wanted.body.length} wanted`
  }
  if (wanted.body instanceof RegExp && !wanted.body.test(body.toString('latin1'))) return `a body unlike ${wanted.body}`
  return undefined
}

function fingerprintOf({ socket }: http.IncomingMessage): string {
  const peer = (socket as Partial<TLSSocket>).getPeerX509Certificate?.()
  return peer?.fingerprint256 ?? ''
}
