/** referer-restriction: lets requests in, or keeps them out, by the host of the page that they come from. */
import type { Plugin } from '#sdk'

interface Conf {
  readonly bypass_missing: boolean
  readonly whitelist?: readonly string[]
  readonly blacklist?: readonly string[]
  readonly message: string
}

const hosts = {
  type: 'array',
  items: { type: 'string', pattern: '^\\*?[0-9a-zA-Z-._\\[\\]:]+$' },
  minItems: 1,
}

export const refererRestriction: Plugin<Conf> = {
  name: 'referer-restriction',
  priority: 2990,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      bypass_missing: { type: 'boolean', default: false },
      whitelist: hosts,
      blacklist: hosts,
      message: { type: 'string', minLength: 1, maxLength: 1024, default: 'Your referer host is not allowed' },
    },
    oneOf: [{ required: ['whitelist'] }, { required: ['blacklist'] }],
  },

  create({ whitelist, blacklist, bypass_missing, message }) {
    const exact = new Set<string>()
    const suffixes: string[] = []
    for (const host of whitelist ?? blacklist ?? []) {
      if (host.startsWith('*')) suffixes.push(host.slice(1).toLowerCase())
      else exact.add(host.toLowerCase())
    }
    const admitsListed = whitelist !== undefined
    const refusal = { status: 403, body: { message } }
    return {
      access({ request }) {
        const host = hostOf(request.headers.get('referer'))
        if (host === undefined) return bypass_missing ? undefined : refusal
        const listed = exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix))
        return listed === admitsListed ? undefined : refusal
      },
    }
  },
}

/** In lower case, without port; undefined for a field that is missing or no URL. */
function hostOf(referer: string | undefined): string | undefined {
  if (referer === undefined || !/^https?:\/\//i.test(referer) || !URL.canParse(referer)) return undefined
  return new URL(referer).hostname
}
