/** Keeps the beginnings of bodies for loggers that are told to: that of the request before it is sent on, that of the answer as it leaves. */
import type { Exchange } from '../exchange/exchange.ts'
import type { CollectedBody, HttpExchange, ResponseHead } from '../exchange/http-exchange.ts'
import type { LogConf } from './log-attributes.ts'
import type { LogBodies } from './log-entry.ts'
import type { BodyFilter, Build, Phases } from './plugin.ts'

interface Kept {
  request: string | undefined
  response: ResponseKeeper | undefined
}

const noBodies: LogBodies = { request: undefined, response: undefined }

export class BodyKeeper {
  /** Undefined where no body of that kind is kept. */
  readonly access: Phases['access']
  readonly headerFilter: Phases['headerFilter']
  readonly #kept = new WeakMap<Exchange, Kept>()

  constructor(conf: LogConf, build: Pick<Build, 'expression'>) {
    const { include_req_body_expr: requestExpr, include_resp_body_expr: responseExpr } = conf
    const { max_req_body_bytes: maxRequest = 524_288, max_resp_body_bytes: maxResponse = 524_288 } = conf
    if (conf.include_req_body === true) {
      const wanted = requestExpr === undefined ? undefined : build.expression(requestExpr)
      this.access = (exchange) => (wanted?.(exchange) === false ? undefined : this.#request(exchange, maxRequest))
    }
    if (conf.include_resp_body === true) {
      const wanted = responseExpr === undefined ? undefined : build.expression(responseExpr)
      this.headerFilter = (exchange: HttpExchange, _: ResponseHead) => {
        if (wanted?.(exchange) === false) return undefined
        const keeper = new ResponseKeeper(maxResponse)
        this.#of(exchange).response = keeper
        return keeper
      }
    }
  }

  /** What was kept of an exchange, once. */
  take(exchange: Exchange): LogBodies {
    const kept = this.#kept.get(exchange)
    if (kept === undefined) return noBodies
    this.#kept.delete(exchange)
    return { request: kept.request, response: kept.response?.text() }
  }

  #request(exchange: HttpExchange, maxBytes: number): Promise<undefined> | undefined {
    const { body } = exchange.request
    if (body.length === 0) return undefined
    const keep = (bytes: Uint8Array): undefined => {
      if (bytes.length > 0) this.#of(exchange).request = Buffer.from(bytes).toString()
    }
    const look = (collected: CollectedBody): Promise<undefined> | undefined => {
      const start = collected.start(maxBytes)
      return start instanceof Uint8Array ? keep(start) : start.then(keep)
    }
    // How large a body may be is the business of the route and the listener; of a large one most lies in a file.
    const collected = body.collect(Number.MAX_SAFE_INTEGER)
    return collected instanceof Promise ? collected.then(look) : look(collected)
  }

  #of(exchange: Exchange): Kept {
    let kept = this.#kept.get(exchange)
    if (kept === undefined) {
      kept = { request: undefined, response: undefined }
      this.#kept.set(exchange, kept)
    }
    return kept
  }
}

/** Copies the first bytes of an answer and changes nothing. */
class ResponseKeeper implements BodyFilter {
  readonly keepsLength = true
  readonly #parts: Uint8Array[] = []
  #room: number

  constructor(maxBytes: number) {
    this.#room = maxBytes
  }

  part(bytes: Uint8Array): Uint8Array {
    if (this.#room > 0 && bytes.length > 0) {
      const part = Uint8Array.prototype.slice.call(bytes, 0, this.#room)
      this.#room -= part.length
      this.#parts.push(part)
    }
    return bytes
  }

  /** Undefined: there was no body. */
  text(): string | undefined {
    return this.#parts.length === 0 ? undefined : Buffer.concat(this.#parts).toString()
  }
}
