/** ua-restriction: lets user agents in, or keeps them out, by patterns. */
import { compilePattern, type Plugin } from '#sdk'

interface Conf {
  readonly bypass_missing: boolean
  readonly allowlist?: readonly string[]
  readonly denylist?: readonly string[]
  readonly message: string
}

const patterns = { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 }

export const uaRestriction: Plugin<Conf> = {
  name: 'ua-restriction',
  priority: 2999,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      bypass_missing: { type: 'boolean', default: false },
      allowlist: patterns,
      denylist: patterns,
      message: { type: 'string', minLength: 1, maxLength: 1024, default: 'Not allowed' },
    },
    oneOf: [{ required: ['allowlist'] }, { required: ['denylist'] }],
  },

  check({ allowlist, denylist }) {
    try {
      for (const pattern of [...(allowlist ?? []), ...(denylist ?? [])]) compilePattern(pattern, false)
      return undefined
    } catch (error) {
      return (error as Error).message
    }
  },

  create({ allowlist, denylist, bypass_missing, message }) {
    const tests = (allowlist ?? denylist ?? []).map((pattern) => compilePattern(pattern, false))
    const admitsListed = allowlist !== undefined
    const refusal = { status: 403, body: { message } }
    return {
      access({ request }) {
        const agents = request.headers.all('user-agent')
        if (agents.length === 0) return bypass_missing ? undefined : refusal
        const listed = agents.some((agent) => tests.some((test) => test(agent)))
        return listed === admitsListed ? undefined : refusal
      },
    }
  },
}
