/**
 * What plugins do to an answer on its way out: header filters over its head, and the body filters that they ask for over its
 * parts. A filter that throws is left out; the answer goes on as if the filter were not there, if that is still possible.
 */
import { GatewayError } from '../errors.ts'
import type { HttpExchange, ResponseHead } from '../exchange/http-exchange.ts'
import type { HeaderFilter } from './chain.ts'
import type { BodyFilter, Coding } from './plugin.ts'

const nothing = new Uint8Array(0)

interface Stage {
  readonly filter: BodyFilter
  /** Something was held back or changed: without the filter, what follows would not fit what has left. */
  involved: boolean
}

/**
 * Runs the header filters of global rules, then those of the route, over a head, and at last the codings that they ask for.
 * Undefined: nobody wants the body. One that throws leaves the fields of the head as they were before it. `failed` hears of
 * every throw, also later of body filters'.
 */
export function startFilters(
  globals: readonly HeaderFilter[] | undefined,
  filters: readonly HeaderFilter[] | undefined,
  exchange: HttpExchange,
  head: ResponseHead,
  failed: (error: unknown) => void,
): BodyPipe | undefined {
  const asked: Asked = { wanted: [], codings: undefined }
  if (globals !== undefined) runHeaderFilters(globals, exchange, head, asked, failed)
  if (filters !== undefined) runHeaderFilters(filters, exchange, head, asked, failed)
  const { wanted, codings } = asked
  if (codings !== undefined) {
    // A body that others change has no length that a coding could go by.
    if (!wanted.every((filter) => filter.keepsLength === true)) head.headers.delete('content-length')
    for (const { code } of codings) runHeaderFilters([(_, last) => code(last)], exchange, head, asked, failed)
  }
  return wanted.length === 0 ? undefined : new BodyPipe(wanted, failed)
}

interface Asked {
  /** In the order in which bytes pass through them. */
  readonly wanted: BodyFilter[]
  codings: Coding[] | undefined
}

function runHeaderFilters(
  filters: readonly HeaderFilter[],
  exchange: HttpExchange,
  head: ResponseHead,
  asked: Asked,
  failed: (error: unknown) => void,
): void {
  for (const filter of filters) {
    const { status, reason } = head
    const before = head.headers.copy()
    try {
      const body = filter(exchange, head)
      if (body === undefined) continue
      if (!('code' in body)) asked.wanted.push(body)
      else if (asked.codings === undefined) asked.codings = [body]
      else asked.codings.push(body)
    } catch (thrown) {
      head.status = status
      head.reason = reason
      head.headers.assign(before)
      failed(thrown)
    }
  }
}

/** Body filters in a row: what one lets out, the next one gets. */
export class BodyPipe {
  /** Each of them lets as many bytes out as it takes in. */
  readonly keepsLength: boolean
  /**
   * A filter threw that had changed or held back something: the answer cannot be made whole any more and must be cut.
   * Nothing comes out from then on.
   */
  broken = false
  readonly #stages: Stage[]
  readonly #failed: (error: unknown) => void

  constructor(filters: readonly BodyFilter[], failed: (error: unknown) => void) {
    this.keepsLength = filters.every((filter) => filter.keepsLength === true)
    this.#stages = filters.map((filter) => ({ filter, involved: false }))
    this.#failed = failed
  }

  /**
   * Takes borrowed bytes, and gives what may leave now, valid until the next call or the end of the caller's turn, whichever
   * is first; undefined: nothing. `last` exactly once, with the last bytes or none.
   */
  part(bytes: Uint8Array, last: boolean): Uint8Array | undefined {
    let current: Uint8Array = bytes
    const stages = this.#stages
    for (let at = 0; at < stages.length; at++) {
      if (this.broken || (current.length === 0 && !last)) return undefined
      const stage = stages[at] as Stage
      try {
        const out = stage.filter.part(current, last)
        if (out !== current) stage.involved = true
        current = out ?? nothing
      } catch (thrown) {
        this.#drop(at, thrown)
        at--
      }
    }
    return this.broken || current.length === 0 ? undefined : current
  }

  #drop(at: number, thrown: unknown): void {
    const [stage] = this.#stages.splice(at, 1)
    this.broken = stage?.involved === true
    this.#failed(GatewayError.from(thrown))
  }
}
