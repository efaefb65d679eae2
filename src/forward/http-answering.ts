/**
 * The way of an answer to the client: the gateway's own fields, header and body filters, the sink. It knows nothing of where
 * the answer comes from, and nothing of tries.
 */
import { GatewayError } from '../errors.ts'
import type { Derivation, FieldBlock } from '../exchange/field-block.ts'
import type { HeaderList } from '../exchange/header-list.ts'
import type { ResponseHead } from '../exchange/http-exchange.ts'
import type { HttpSession } from '../exchange/http-session.ts'
import type { Log } from '../observability/log.ts'
import { type BodyPipe, startFilters } from '../plugin/body-pipe.ts'
import type { HeaderFilter } from '../plugin/chain.ts'
import type { HttpSink } from '../protocol/http-protocol.ts'
import { FieldLine } from './field-line.ts'
import { httpDate } from './http-date.ts'
import type { HttpRoadSettings } from './http-road-options.ts'

const nothing = new Uint8Array(0)
const serverLine = new FieldLine('Server')

export class HttpAnswering {
  readonly #session: HttpSession
  readonly #sink: HttpSink
  readonly #log: Log
  #pipe: BodyPipe | undefined
  /** The answer has no body by nature: the sink drops what comes of one. */
  #isBare: boolean

  constructor(session: HttpSession, sink: HttpSink, log: Log) {
    this.#session = session
    this.#sink = sink
    this.#log = log
    this.#pipe = undefined
    this.#isBare = false
  }

  /** Filters the head, and hands it to the sink. Afterwards the exchange has begun. `length` as in `HttpSink.begin`. */
  begin(
    head: ResponseHead,
    length: number | undefined,
    settings: HttpRoadSettings,
    globals: readonly HeaderFilter[] | undefined,
    filters: readonly HeaderFilter[] | undefined,
  ): void {
    const session = this.#session
    session.response = head
    const { headers } = head
    // Variables of logs tell what the endpoint sent.
    if (head.fromUpstream && (globals !== undefined || filters !== undefined)) session.upstreamHeaders = headers.copy()
    complete(headers, head.fromUpstream, settings)
    this.#showUpstreamStatus(headers, settings)
    const added = session.addedHeaders
    if (added !== undefined) {
      for (let at = 0; at < added.size; at += 1) headers.append(added.nameAt(at), added.valueAt(at))
    }
    let announced = length
    if (globals !== undefined || filters !== undefined) {
      this.#pipe = startFilters(globals, filters, session, head, (error) => this.#broken(error))
      if (this.#pipe !== undefined && !this.#pipe.keepsLength) {
        announced = undefined
        headers.delete('content-length')
      }
    }
    session.status = head.status
    session.begun = true
    this.#isBare = session.sentMethod === 'HEAD' || head.status === 204 || head.status === 304
    session.headBytesSent = this.#sink.begin(head, announced)
  }

  /** Borrowed bytes. False: the client is slow; wait for `drained`. */
  part(bytes: Uint8Array): boolean {
    const out = this.#pipe === undefined ? bytes : this.#pipe.part(bytes, false)
    if (this.#pipe?.broken === true) return this.#cut()
    if (out === undefined || out.length === 0) return true
    return this.#write(out)
  }

  end(trailers: HeaderList | undefined): void {
    if (this.#pipe !== undefined) {
      const out = this.#pipe.part(nothing, true)
      if (this.#pipe.broken) return void this.#cut()
      if (out !== undefined && out.length > 0) this.#write(out)
    }
    this.#sink.finish(trailers)
  }

  #write(out: Uint8Array): boolean {
    if (!this.#isBare) this.#session.bodyBytesSent += out.length
    return this.#sink.write(out)
  }

  /** The answer cannot be made whole any more. */
  #cut(): boolean {
    this.#session.fail(new GatewayError('internal', 'a response filter failed half way'))
    return true
  }

  #showUpstreamStatus(headers: HeaderList, settings: HttpRoadSettings): void {
    const statuses = this.#session.upstreamStatuses
    const last = statuses[statuses.length - 1]
    if (last === undefined || (!settings.showUpstreamStatus && (last < 500 || last > 599))) return
    headers.set('X-APISIX-Upstream-Status', statuses.join(', '))
  }

  #broken(error: unknown): void {
    this.#log.error({ route: this.#session.route?.id, error }, 'a plugin failed in a response filter and is left out')
  }
}

/** What an endpoint's fields become by the gateway's own. */
class CompletedFields implements Derivation {
  readonly settings: HttpRoadSettings
  readonly block: FieldBlock

  constructor(settings: HttpRoadSettings, block: FieldBlock) {
    this.settings = settings
    this.block = block
  }
}

/** The fields that each answer has, and those of an endpoint as it should have written them. */
function complete(headers: HeaderList, fromUpstream: boolean, settings: HttpRoadSettings): void {
  const { block } = headers
  if (block !== undefined) {
    const { derived } = block
    if (derived instanceof CompletedFields && derived.settings === settings) return headers.become(derived.block)
  }
  const { server } = settings
  if (fromUpstream) headers.replace('server', 'Server', server, serverLine.of(server))
  else headers.push('server', 'Server', server, serverLine.of(server))
  nameCharset(headers, settings.charset)
  if (!headers.has('date')) headers.push('date', 'Date', httpDate())
  else if (block !== undefined) block.derived = new CompletedFields(settings, headers.keep())
}

/** As nginx's `charset`: text that names none gets the one that is configured. */
function nameCharset(headers: HeaderList, charset: string): void {
  const type = headers.get('content-type')
  if (type === undefined || charset === '' || !namesNoCharset.test(type)) return
  headers.set('Content-Type', `${type}; charset=${charset}`)
}

/** nginx's `charset_types`, without a parameter. */
const namesNoCharset = /^(?:text\/(?:html|xml|plain|vnd\.wap\.wml)|application\/(?:javascript|rss\+xml))\s*$/i
