/** A lane of an HTTP soak: nodes, weights and kinds of the upstreams that the steady routes use. Each always has a node. */
import type { Change, ChangeSite, Step } from './http-changes.ts'
import { sharedUpstreams, steadyServices } from './http-steady.ts'

const probes = 6
/** What nobody but this lane uses, to see where requests go. */
const lookAt = (id: string): string => `/upstream/${id}`

export async function upstreamChanges({ dice, backends, change }: ChangeSite): Promise<Step> {
  const names = [...backends.nodes.keys()]
  const current = new Map<string, ReadonlySet<string>>()
  let turn = 0

  const someNames = (): ReadonlySet<string> => {
    const chosen = names.filter(() => dice.roll(2) === 0)
    return new Set(chosen.length === 0 ? [dice.pick(names)] : chosen)
  }
  const weight = (): number => 1 + dice.roll(5)
  const at = (name: string): string => backends.nodes.get(name) ?? ''
  /** As an object or as a list; some with others that have no weight. */
  const nodes = (chosen: ReadonlySet<string>): object => {
    const idle = names.filter((name) => !chosen.has(name) && dice.roll(3) === 0)
    const weights = [...[...chosen].map((name) => [name, weight()] as const), ...idle.map((name) => [name, 0] as const)]
    if (dice.roll(2) === 0) return Object.fromEntries(weights.map(([name, of]) => [at(name), of]))
    return weights.map(([name, of]) => {
      const [host, port] = at(name).split(':')
      return { host, port: Number(port), weight: of }
    })
  }
  const whole = (chosen: ReadonlySet<string>): object => ({
    nodes: nodes(chosen),
    retries: dice.roll(3),
    keepalive_pool: { idle_timeout: 2, size: 1 + dice.roll(320), requests: 1 + dice.roll(2000) },
    ...dice.pick([
      { type: 'roundrobin' },
      { type: 'least_conn' },
      { type: 'ewma' },
      { type: 'chash', hash_on: 'vars', key: 'remote_port' },
      { type: 'chash', hash_on: 'header', key: 'x-anything' },
    ]),
  })

  async function put(id: string): Promise<Change> {
    const chosen = someNames()
    const value = whole(chosen)
    await change('PUT', `/upstreams/${id}`, value)
    current.set(id, chosen)
    return seen(id, `PUT ${id} ${JSON.stringify(value)}`)
  }

  /** Exchanges one node, by a path into the resource. */
  async function replaceNodes(id: string): Promise<Change> {
    const chosen = new Set(current.get(id))
    const name = dice.pick(names)
    if (!chosen.delete(name) || chosen.size === 0) chosen.add(name)
    const value = nodes(chosen)
    await change('PATCH', `/upstreams/${id}/nodes`, value)
    current.set(id, chosen)
    return seen(id, `PATCH ${id}/nodes ${JSON.stringify(value)}`)
  }

  async function patch(id: string): Promise<Change> {
    const body = {
      retries: dice.roll(4),
      desc: `turn ${turn}`,
      timeout: { connect: 5, send: 60 + dice.roll(9), read: 60 },
    }
    await change('PATCH', `/upstreams/${id}`, body)
    return seen(id, `PATCH ${id} ${JSON.stringify(body)}`)
  }

  function seen(id: string, what: string): Change {
    const all = [...(current.get(id) ?? [])].join('|')
    const wanted = { status: 200, body: new RegExp(`^(${all}) GET ${lookAt(id)} `) }
    return {
      what,
      checks: Array.from(
        { length: probes },
        (_, probe) => [{ path: lookAt(id), fresh: probe % 3 === 0 }, wanted] as const,
      ),
    }
  }

  for (const id of sharedUpstreams) await change('PUT', `/routes/look-${id}`, { uri: lookAt(id), upstream_id: id })
  for (const id of sharedUpstreams) await put(id)
  return async () => {
    turn += 1
    const id = dice.pick(sharedUpstreams)
    const choice = dice.roll(10)
    if (choice < 4) return put(id)
    if (choice < 7) return replaceNodes(id)
    if (choice < 9) return patch(id)
    const service = dice.pick(steadyServices)
    await change('PATCH', `/services/${service}`, { upstream_id: id })
    return seen(id, `PATCH ${service} to ${id}`)
  }
}
