/** uri-blocker: refuses requests whose path and query match a pattern. */
import { type Answer, compilePattern, type Plugin } from '#sdk'

interface Conf {
  readonly block_rules: readonly string[]
  readonly rejected_code: number
  readonly rejected_msg?: string
  readonly case_insensitive: boolean
}

export const uriBlocker: Plugin<Conf> = {
  name: 'uri-blocker',
  priority: 2900,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      block_rules: {
        type: 'array',
        items: { type: 'string', minLength: 1, maxLength: 4096 },
        uniqueItems: true,
      },
      rejected_code: { type: 'integer', minimum: 200, default: 403 },
      rejected_msg: { type: 'string', minLength: 1 },
      case_insensitive: { type: 'boolean', default: false },
    },
    required: ['block_rules'],
  },

  check({ block_rules }) {
    try {
      for (const rule of block_rules) compilePattern(rule, false)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  },

  create({ block_rules, rejected_code: status, rejected_msg, case_insensitive }) {
    const tests = block_rules.map((rule) => compilePattern(rule, case_insensitive))
    const refusal: Answer = rejected_msg === undefined ? { status } : { status, body: { error_msg: rejected_msg } }
    return {
      rewrite(exchange) {
        const uri = exchange.variable('request_uri') ?? ''
        return tests.some((test) => test(uri)) ? refusal : undefined
      },
    }
  },
}
