/** workflow: the first rule that holds runs its action: an answer, or a limit under a configuration of its own. */
import {
  type Answer,
  checkExpression,
  type HttpExchange,
  type Json,
  type JsonObject,
  type Phases,
  type Plugin,
} from '#sdk'

type Action = readonly [name: string, conf?: JsonObject]

interface Conf {
  readonly rules: readonly { readonly case?: Json[]; readonly actions: readonly Action[] }[]
}

interface Rule {
  /** Absent: it always holds. */
  readonly holds: ((exchange: HttpExchange) => boolean) | undefined
  readonly run: NonNullable<Phases['access']>
  readonly log: Phases['log']
}

/** Plugins that can be actions. */
const limits: readonly string[] = ['limit-count', 'limit-conn']

export const workflow: Plugin<Conf> = {
  name: 'workflow',
  priority: 1006,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      rules: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            case: { type: 'array', items: { anyOf: [{ type: 'array' }, { type: 'string' }] }, minItems: 1 },
            actions: { type: 'array', items: { type: 'array', minItems: 1 } },
          },
          required: ['actions'],
        },
      },
    },
    required: ['rules'],
  },

  check({ rules }, others) {
    for (const [at, { case: condition, actions }] of rules.entries()) {
      const wrong = condition === undefined ? undefined : checkExpression(condition)
      if (wrong !== undefined) return `failed to validate the 'case' expression: ${wrong}`
      for (const [name, conf] of actions) {
        const fault = actionFault(name, conf, (inner) => others.fault(name, { ...inner, _vid: at + 1 }))
        if (fault !== undefined) return fault
      }
    }
    return undefined
  },

  create({ rules }, build) {
    const compiled = rules.map(({ case: condition, actions: [action] }, at): Rule => {
      const holds = condition === undefined ? undefined : build.expression(condition)
      const [name, conf = {}] = action ?? ['']
      if (!limits.includes(name))
        return { holds, run: answerWith(name === 'return' ? conf : undefined), log: undefined }
      // Its place tells the counters of two actions with one configuration apart.
      const { access, log } = build.phasesOf(name, { ...conf, _vid: at + 1 })
      return { holds, run: access ?? (() => undefined), log }
    })
    const running = new WeakMap<HttpExchange, Phases['log']>()
    return {
      access(exchange) {
        const rule = compiled.find(({ holds }) => holds === undefined || holds(exchange))
        if (rule === undefined) return undefined
        if (rule.log !== undefined) running.set(exchange, rule.log)
        return rule.run(exchange)
      },
      log(exchange) {
        running.get(exchange as HttpExchange)?.(exchange)
      },
    }
  },
}

/** A rule without actions does nothing but keep later ones from being asked. */
function answerWith(conf: JsonObject | undefined): Rule['run'] {
  if (conf === undefined) return () => undefined
  const answer: Answer = { status: conf['code'] as number, body: { error_msg: 'rejected by workflow' } }
  return () => answer
}

function actionFault(
  name: string,
  conf: Json | undefined,
  faultOf: (conf: JsonObject) => string | undefined,
): string | undefined {
  if (name !== 'return' && !limits.includes(name)) return `unsupported action: ${name}`
  const wrong = (reason: string): string => `failed to validate the '${name}' action: ${reason}`
  if (conf === null || typeof conf !== 'object' || Array.isArray(conf)) {
    return wrong('wrong type: expected object, got nil')
  }
  const fault = name === 'return' ? codeFault(conf) : faultOf(conf)
  return fault === undefined
    ? undefined
    : wrong(fault.replace(/^failed to check the configuration of plugin \S+ err: /, ''))
}

function codeFault({ code }: JsonObject): string | undefined {
  if (code === undefined) return 'property "code" is required'
  const problem =
    typeof code !== 'number' || !Number.isInteger(code)
      ? `wrong type: expected integer, got ${typeof code}`
      : code < 100
        ? `expected ${code} to be at least 100`
        : code > 599
          ? `expected ${code} to be at most 599`
          : undefined
  return problem === undefined ? undefined : `property "code" validation failed: ${problem}`
}
