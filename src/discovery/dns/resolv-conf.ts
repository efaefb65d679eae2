/** What a resolv.conf says: servers, search domains, and how many dots make a name whole. */
import { isAddress } from '../../base/ip-set.ts'

export interface ResolvConf {
  readonly servers: readonly string[]
  readonly search: readonly string[]
  /** Names with fewer dots are tried below the search domains first. */
  readonly ndots: number
}

/** resolv.conf(5): at most three servers count; of `search` and `domain` the last one does. */
const maxServers = 3
const maxNdots = 15

export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = []
  let search: readonly string[] = []
  let ndots = 1
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    const [first = ''] = values
    if (keyword === 'nameserver' && isAddress(first) && servers.length < maxServers) servers.push(first)
    else if (keyword === 'search') search = values.map(domain).filter((name) => name !== '')
    else if (keyword === 'domain') search = [domain(first)].filter((name) => name !== '')
    else if (keyword === 'options') ndots = ndotsIn(values) ?? ndots
  }
  return { servers, search, ndots }
}

/**
 * The names to ask for in turn. `name` is lower case; with a trailing dot it is whole already.
 * A name with enough dots is tried as it is first, any other below the search domains first.
 */
export function candidates(name: string, conf: Pick<ResolvConf, 'search' | 'ndots'>): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const below = conf.search.map((suffix) => `${name}.${suffix}`)
  const dots = name.split('.').length - 1
  return dots >= conf.ndots ? [name, ...below] : [...below, name]
}

function domain(text: string): string {
  return text.toLowerCase().replace(/\.$/, '')
}

function ndotsIn(options: readonly string[]): number | undefined {
  for (const option of options) {
    const digits = /^ndots:(\d{1,3})$/.exec(option)?.[1]
    if (digits !== undefined) return Math.min(Number(digits), maxNdots)
  }
  return undefined
}
