/** fault-injection: some requests are answered with a fault, or made to wait, to see how clients bear it. */
import { randomInt } from 'node:crypto'
import {
  type Answer,
  checkExpression,
  compileTemplate,
  type Exchange,
  type HttpExchange,
  type Json,
  type Plugin,
  sleep,
} from '#sdk'

interface Abort {
  readonly http_status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string | number>>
  readonly percentage?: number
  readonly vars?: readonly Json[]
}

interface Delay {
  readonly duration: number
  readonly percentage?: number
  readonly vars?: readonly Json[]
}

interface Conf {
  readonly abort?: Abort
  readonly delay?: Delay
}

type Condition = (exchange: Exchange) => boolean

const percentage = { type: 'integer', minimum: 0, maximum: 100 }
const vars = { type: 'array', maxItems: 20, items: { type: 'array' } }

export const faultInjection: Plugin<Conf> = {
  name: 'fault-injection',
  priority: 11000,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      abort: {
        type: 'object',
        properties: {
          http_status: { type: 'integer', minimum: 200 },
          body: { type: 'string', minLength: 0 },
          headers: {
            type: 'object',
            minProperties: 1,
            patternProperties: { '^[^:]+$': { oneOf: [{ type: 'string' }, { type: 'number' }] } },
            additionalProperties: false,
          },
          percentage,
          vars,
        },
        required: ['http_status'],
      },
      delay: {
        type: 'object',
        properties: { duration: { type: 'number', minimum: 0 }, percentage, vars },
        required: ['duration'],
      },
    },
    minProperties: 1,
  },

  check({ abort, delay }) {
    for (const expression of [...(abort?.vars ?? []), ...(delay?.vars ?? [])]) {
      const fault = checkExpression(expression)
      if (fault !== undefined) return `failed to create vars expression: ${fault}`
    }
    return undefined
  },

  create({ abort, delay }, build) {
    const isDelayed = condition(delay, build.expression)
    const isAborted = condition(abort, build.expression)
    const refusal = abort === undefined ? undefined : answerOf(abort)
    const decide = (exchange: HttpExchange): Answer | undefined =>
      refusal !== undefined && isAborted(exchange) ? refusal(exchange) : undefined
    return {
      rewrite(exchange) {
        if (delay === undefined || !isDelayed(exchange)) return decide(exchange)
        return sleep(delay.duration * 1000).then(() => decide(exchange))
      },
    }
  },
}

/** Whether a fault is due: by chance, and where there are expressions, if one of them holds. */
function condition(fault: Abort | Delay | undefined, compile: (json: Json) => Condition): Condition {
  if (fault === undefined) return () => false
  const expressions = (fault.vars ?? []).map(compile)
  const { percentage: share } = fault
  return (exchange) => {
    if (share !== undefined && randomInt(100) >= share) return false
    return expressions.length === 0 || expressions.some((holds) => holds(exchange))
  }
}

function answerOf({ http_status: status, body, headers }: Abort): (exchange: HttpExchange) => Answer {
  const text = body === undefined ? undefined : compileTemplate(body)
  const fields = Object.entries(headers ?? {}).map(([name, value]) => [name, compileTemplate(String(value))] as const)
  return (exchange) => {
    const lookup = (name: string): string | undefined => exchange.variable(name)
    const rendered = Object.fromEntries(fields.map(([name, value]) => [name, value.render(lookup)]))
    return { status, headers: rendered, ...(text === undefined ? {} : { body: text.render(lookup) }) }
  }
}
