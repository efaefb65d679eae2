/** The fields that tell a client what is left of its quota, composed without more allocation than their texts. */
import type { HttpExchange, JsonObject, Taken } from '#sdk'

interface Names {
  readonly limit: string
  readonly remaining: string
  readonly reset: string
}

/** `.01` … `.99`, without zeros at the end. */
const hundredths = Array.from({ length: 100 }, (_, at) =>
  at === 0 ? '' : `.${String(at).padStart(2, '0').replace(/0$/, '')}`,
)

export class QuotaHeaders {
  readonly #metadata: () => JsonObject | undefined
  readonly #prefix: string | undefined
  #seen: JsonObject | undefined
  #names: Names

  /** `prefix` tells the fields of several rules apart. */
  constructor(metadata: () => JsonObject | undefined, prefix: string | undefined) {
    this.#metadata = metadata
    this.#prefix = prefix
    this.#seen = metadata()
    this.#names = this.#compile()
  }

  add(exchange: HttpExchange, limit: number, { remaining, resetMs, allowed }: Taken): void {
    const metadata = this.#metadata()
    if (metadata !== this.#seen) {
      this.#seen = metadata
      this.#names = this.#compile()
    }
    const names = this.#names
    exchange.addHeader(names.limit, String(limit))
    exchange.addHeader(names.remaining, allowed ? String(remaining) : '0')
    exchange.addHeader(names.reset, seconds(resetMs))
  }

  #compile(): Names {
    const name = (field: string, usual: string): string => {
      const base = (this.#seen?.[field] as string | undefined) ?? usual
      return this.#prefix === undefined ? base : base.replace('RateLimit-', `${this.#prefix}-RateLimit-`)
    }
    return {
      limit: name('limit_header', 'X-RateLimit-Limit'),
      remaining: name('remaining_header', 'X-RateLimit-Remaining'),
      reset: name('reset_header', 'X-RateLimit-Reset'),
    }
  }
}

/** Seconds with two decimals, rounded down. */
function seconds(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 10))
  const whole = Math.floor(all / 100)
  return String(whole) + hundredths[all - whole * 100]
}
