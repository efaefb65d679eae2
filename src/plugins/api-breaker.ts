/**
 * api-breaker: after so many unhealthy answers of an endpoint, requests for that host and path are refused here for a while,
 * each time for longer. What it knows is shared by all routes and workers, and forgotten an hour after the last change.
 */
import type { Answer, HttpExchange, Plugin, SharedState, SharedWindows, Template } from '#sdk'

interface Conf {
  readonly break_response_code: number
  readonly break_response_body?: string
  readonly break_response_headers?: readonly { readonly key: string; readonly value: string }[]
  readonly max_breaker_sec: number
  readonly unhealthy: { readonly http_statuses: readonly number[]; readonly failures: number }
  readonly healthy: { readonly http_statuses: readonly number[]; readonly successes: number }
}

const rememberedMs = 3_600_000

const statuses = (minimum: number, maximum: number, usual: number) => ({
  type: 'array',
  minItems: 1,
  items: { type: 'integer', minimum, maximum },
  uniqueItems: true,
  default: [usual],
})
const times = { type: 'integer', minimum: 1, default: 3 }

export const apiBreaker: Plugin<Conf> = {
  name: 'api-breaker',
  priority: 1005,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      break_response_code: { type: 'integer', minimum: 200, maximum: 599 },
      break_response_body: { type: 'string' },
      break_response_headers: {
        type: 'array',
        items: {
          type: 'object',
          properties: { key: { type: 'string', minLength: 1 }, value: { type: 'string', minLength: 1 } },
          required: ['key', 'value'],
        },
      },
      max_breaker_sec: { type: 'integer', minimum: 3, default: 300 },
      unhealthy: {
        type: 'object',
        properties: { http_statuses: statuses(500, 599, 500), failures: times },
        default: { http_statuses: [500], failures: 3 },
      },
      healthy: {
        type: 'object',
        properties: { http_statuses: statuses(200, 499, 200), successes: times },
        default: { http_statuses: [200], successes: 3 },
      },
    },
    required: ['break_response_code'],
  },

  create(conf, build) {
    const windows = build.windows.open('api-breaker')
    const unhealthy = new Set(conf.unhealthy.http_statuses)
    const healthy = new Set(conf.healthy.http_statuses)
    const headers = (conf.break_response_headers ?? []).map(({ key, value }) => ({
      name: key,
      value: build.template(value),
    }))
    const isOpen = (state: SharedState): boolean => openNow(state, conf)
    const fail = (state: SharedState): void => countFailure(state, conf)
    const succeed = (state: SharedState): void => countSuccess(state, conf)
    return {
      access(exchange) {
        return windows.look(keyOf(exchange), isOpen) === true ? refusalOf(conf, headers, exchange) : undefined
      },
      log(exchange) {
        const status = upstreamStatus(exchange as HttpExchange)
        if (status === undefined) return
        if (unhealthy.has(status)) count(windows, exchange as HttpExchange, fail)
        else if (healthy.has(status)) count(windows, exchange as HttpExchange, succeed)
      },
    }
  },
}

function count(windows: SharedWindows, exchange: HttpExchange, change: (state: SharedState) => void): void {
  windows.change(keyOf(exchange), change)
}

function keyOf({ request }: HttpExchange): string {
  return request.host + request.path
}

/** The last status that an endpoint answered with, or the one that stands for its failure. */
function upstreamStatus(exchange: HttpExchange): number | undefined {
  const last = exchange.variable('upstream_status')?.split(', ').at(-1)
  return last === undefined || last === '-' ? undefined : Number(last)
}

/** first: unhealthy answers, second: healthy ones since, third: when it opened last; 0: it has not. */
function openNow(state: SharedState, { unhealthy, max_breaker_sec }: Conf): boolean {
  if (state.fresh || state.third === 0) return false
  const steps = Math.max(1, Math.floor(state.first / unhealthy.failures))
  const seconds = Math.min(2 ** steps, max_breaker_sec)
  // In whole seconds, as times are told in APISIX.
  return Math.floor(state.nowMs / 1000) <= Math.floor(state.third / 1000) + seconds
}

function countFailure(state: SharedState, { unhealthy, max_breaker_sec }: Conf): void {
  state.first += 1
  state.second = 0
  if (state.first % unhealthy.failures === 0) state.third = state.nowMs
  state.keepMs = Math.max(rememberedMs, max_breaker_sec * 1000)
}

function countSuccess(state: SharedState, { healthy }: Conf): void {
  if (state.fresh || state.first === 0) return
  state.second += 1
  if (state.second >= healthy.successes) state.keepMs = 0
}

function refusalOf(
  { break_response_code: status, break_response_body: body }: Conf,
  headers: readonly { readonly name: string; readonly value: Template }[],
  exchange: HttpExchange,
): Answer {
  if (body === undefined) return { status }
  if (headers.length === 0) return { status, body }
  const fields: Record<string, string[]> = {}
  for (const { name, value } of headers) {
    const text = value.render((variable) => exchange.variable(variable))
    const values = fields[name]
    if (values === undefined) fields[name] = [text]
    else values.push(text)
  }
  return { status, body, headers: fields }
}
