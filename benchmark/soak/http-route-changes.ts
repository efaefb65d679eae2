/** A lane of an HTTP soak: routes of all kinds that are made, replaced, patched and deleted, each with what it must answer now. */
import type { Change, ChangeSite, Lane, Step } from './http-changes.ts'
import type { Question, Wanted } from './http-client.ts'
import { sharedUpstreams, steadyServices } from './http-steady.ts'

type Check = readonly [Question, Wanted]

interface Kind {
  readonly value: object
  readonly checks: readonly Check[]
}

const places = 60
const notFound: Wanted = { status: 404, body: /404 Route Not Found/ }

/** The lanes of one gateway differ by `name`. */
export function routeChanges(name: string): Lane {
  return async (site) => stepOf(name, site)
}

function stepOf(lane: string, { dice, backends, change }: ChangeSite): Step {
  /** What each route must answer, undefined where there is none. */
  const made: (readonly Check[] | undefined)[] = new Array(places).fill(undefined)
  let turn = 0

  const upstream = (): object => {
    const nodes = Object.fromEntries([...backends.nodes.values()].filter(() => dice.roll(2) === 0).map((at) => [at, 1]))
    if (Object.keys(nodes).length === 0) return { upstream_id: dice.pick(sharedUpstreams) }
    if (dice.roll(4) === 0) return { service_id: dice.pick(steadyServices) }
    return { upstream: { nodes, type: dice.pick(['roundrobin', 'least_conn']), keepalive_pool: { idle_timeout: 2 } } }
  }

  async function put(place: number): Promise<Change> {
    const path = `/changing/${lane}/${place}`
    const kind = kinds[dice.roll(kinds.length)] as (typeof kinds)[number]
    const { value, checks } = kind(path, `${lane}-${place}-${turn}`, upstream())
    await change('PUT', `/routes/${lane}-${place}`, { uri: path, ...value })
    made[place] = checks
    return { what: `PUT ${path} ${JSON.stringify(value)}`, checks: asked(place) }
  }

  async function patch(place: number): Promise<Change> {
    const fields = { 'X-Turn': `${turn}` }
    const body = { plugins: { 'response-rewrite': { headers: { set: fields } } }, desc: `turn ${turn}` }
    await change('PATCH', `/routes/${lane}-${place}`, body)
    made[place] = made[place]?.map(([question, wanted]) =>
      wanted === notFound
        ? [question, wanted]
        : [question, { ...wanted, headers: { ...wanted.headers, 'x-turn': `${turn}` } }],
    )
    return { what: `PATCH ${place} ${JSON.stringify(body)}`, checks: asked(place) }
  }

  async function remove(place: number): Promise<Change> {
    await change('DELETE', `/routes/${lane}-${place}`)
    made[place] = undefined
    return { what: `DELETE ${place}`, checks: asked(place) }
  }

  /** The route itself, on old connections and on new ones; and another, which must be as it was. */
  function asked(place: number): readonly Check[] {
    const other = dice.roll(places)
    return [place, place, place, other].flatMap((at, index) =>
      (made[at] ?? [[{ path: `/changing/${lane}/${at}` }, notFound] as const]).map(
        ([question, wanted]) => [{ ...question, fresh: index === 1 }, wanted] as const,
      ),
    )
  }

  return () => {
    turn += 1
    const place = dice.roll(places)
    const choice = dice.roll(10)
    if (made[place] === undefined || choice < 4) return put(place)
    return choice < 7 ? patch(place) : remove(place)
  }
}

type MakeKind = (path: string, mark: string, upstream: object) => Kind

const served = (path: string): RegExp => new RegExp(`^b\\d [A-Z]+ ${path} `)

const kinds: readonly MakeKind[] = [
  (path, mark, upstream) => ({
    value: { ...upstream, plugins: { 'proxy-rewrite': { uri: `/made/${mark}` } } },
    checks: [[{ path }, { status: 200, body: served(`/made/${mark}`) }]],
  }),
  (path, _, upstream) => ({
    value: { ...upstream, uri: `${path}/*` },
    checks: [
      [{ path: `${path}/x/y` }, { status: 200, body: served(`${path}/x/y`) }],
      [{ path }, notFound],
    ],
  }),
  (path, mark, upstream) => ({
    value: { ...upstream, host: `${mark}.test` },
    checks: [
      [
        { path, headers: { host: `${mark}.test` } },
        { status: 200, body: served(path) },
      ],
      [{ path, headers: { host: 'other.test' } }, notFound],
    ],
  }),
  (path, mark, upstream) => ({
    value: { ...upstream, hosts: [`*.${mark}.test`], methods: ['POST', 'PUT'] },
    checks: [
      [
        { path, method: 'POST', headers: { host: `a.${mark}.test` }, body: Buffer.from(mark) },
        { status: 200, body: served(path) },
      ],
      [{ path, headers: { host: `a.${mark}.test` } }, notFound],
    ],
  }),
  (path, mark, upstream) => ({
    value: { ...upstream, vars: [['http_x_mark', '==', mark]] },
    checks: [
      [
        { path, headers: { 'x-mark': mark } },
        { status: 200, body: served(path) },
      ],
      [{ path }, notFound],
    ],
  }),
  (path, mark) => ({
    value: { plugins: { 'fault-injection': { abort: { http_status: 418, body: mark } } } },
    checks: [[{ path }, { status: 418, body: new RegExp(`^${mark}$`) }]],
  }),
  (path, mark) => ({
    value: { plugins: { mocking: { response_status: 203, response_example: mark, content_type: 'text/plain' } } },
    checks: [[{ path }, { status: 203, body: new RegExp(`^${mark}`) }]],
  }),
  (path, mark) => ({
    value: { plugins: { redirect: { uri: `/to/${mark}`, ret_code: 307 } } },
    checks: [[{ path }, { status: 307, headers: { location: `/to/${mark}` } }]],
  }),
  (path, _, upstream) => ({
    value: { ...upstream, plugins: { 'ip-restriction': { blacklist: ['127.0.0.1'] } } },
    checks: [[{ path }, { status: 403 }]],
  }),
  (path, _, upstream) => ({
    value: { ...upstream, plugins: { 'key-auth': {} } },
    checks: [[{ path }, { status: 401, body: /Missing API key/ }]],
  }),
  (path, _, upstream) => ({
    value: { ...upstream, status: 0 },
    checks: [[{ path }, notFound]],
  }),
  (path, _, upstream) => ({
    value: { ...upstream, plugins: { gzip: { types: '*', min_length: 1 }, cors: {} } },
    checks: [
      [
        { path, headers: { 'accept-encoding': 'gzip', origin: 'http://a.test' } },
        {
          status: 200,
          body: served(path),
          headers: { 'content-encoding': 'gzip', 'access-control-allow-origin': '*' },
        },
      ],
    ],
  }),
  (path, mark, upstream) => ({
    value: {
      ...upstream,
      uri: `${path}/n*`,
      priority: 5,
      plugins: { 'response-rewrite': { body: mark, status_code: 202 } },
    },
    checks: [[{ path: `${path}/name` }, { status: 202, body: new RegExp(`^${mark}$`) }]],
  }),
]
