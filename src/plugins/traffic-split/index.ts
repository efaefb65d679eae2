/** traffic-split: chooses the upstream by rules, and within a rule by weights. Endpoints are chosen by the upstream, as ever. */
import {
  type Answer,
  type Build,
  checkExpression,
  type HttpExchange,
  idSchema,
  type Json,
  type JsonObject,
  type Plugin,
  upstreamSchema,
} from '#sdk'
import { WeightedTurns } from './weighted-turns.ts'

interface Weighted {
  readonly upstream_id?: string | number
  readonly upstream?: JsonObject
  readonly weight: number
}

interface RuleConf {
  readonly match?: readonly { readonly vars?: Json }[]
  readonly weighted_upstreams: readonly Weighted[]
}

interface Conf {
  readonly rules: readonly RuleConf[]
}

/** What an exchange goes to; undefined: what the route says. */
type Choice = HttpExchange['chosenUpstream']

interface Rule {
  /** Undefined: it holds for all. */
  readonly holds: ((exchange: HttpExchange) => boolean) | undefined
  readonly turns: WeightedTurns<Choice>
  /** The first upstream that it names and that there is not, as a refusal. */
  missing(): Answer | undefined
}

const weightedSchema = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      upstream_id: idSchema,
      upstream: upstreamSchema,
      weight: { type: 'integer', default: 1, minimum: 0 },
    },
  },
  default: [{ weight: 1 }],
  minItems: 1,
  maxItems: 20,
}

export const trafficSplit: Plugin<Conf> = {
  name: 'traffic-split',
  priority: 966,
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
            match: { type: 'array', items: { type: 'object', properties: { vars: { type: 'array' } } } },
            weighted_upstreams: weightedSchema,
          },
        },
      },
    },
    required: ['rules'],
  },

  check({ rules }) {
    for (const { vars } of rules.flatMap(({ match }) => match ?? [])) {
      const fault = vars === undefined ? 'missing argument rule' : checkExpression(vars)
      if (fault !== undefined) return `failed to validate the 'vars' expression: ${fault}`
    }
    return undefined
  },

  mapUpstreams(conf, change) {
    const changed = (each: Weighted): Weighted =>
      each.upstream === undefined ? each : { ...each, upstream: change(each.upstream) }
    const rules = conf.rules.map((rule) =>
      // Absent where the defaults are not filled in.
      rule.weighted_upstreams === undefined
        ? rule
        : { ...rule, weighted_upstreams: rule.weighted_upstreams.map(changed) },
    )
    return { ...conf, rules } as unknown as JsonObject
  },

  create(conf, build) {
    const rules = conf.rules.map((rule, at) => compileRule(rule, at, build))
    return {
      access(exchange) {
        for (const { holds, turns, missing } of rules) {
          const refusal = missing()
          if (refusal !== undefined) return refusal
          if (holds !== undefined && !holds(exchange)) continue
          exchange.chosenUpstream = turns.next()
          return undefined
        }
        return undefined
      },
    }
  },
}

function compileRule({ match = [], weighted_upstreams: weighted }: RuleConf, at: number, build: Build): Rule {
  const conditions = match.map(({ vars }) => build.expression(vars as Json))
  const named: { readonly cell: NonNullable<Choice>; readonly refusal: Answer }[] = []
  const choices = weighted.map(({ upstream_id: id, upstream }, place): Choice => {
    // An id comes before a definition.
    if (id === undefined) return upstream && build.upstream(`${at}.${place}`, upstream)
    const cell = build.upstreamById(String(id))
    named.push({ cell, refusal: { status: 500, body: `failed to fetch upstream info by upstream id: ${id}` } })
    return cell
  })
  return {
    holds: match.length === 0 ? undefined : (exchange) => conditions.some((holds) => holds(exchange)),
    turns: new WeightedTurns(
      choices,
      weighted.map(({ weight }) => weight),
    ),
    missing: () => named.find(({ cell }) => cell.current === undefined)?.refusal,
  }
}
