/** The status server: `/status` says that the process lives, `/status/ready` whether it can serve traffic, `/status/wire` how. */
import type { FastifyInstance } from 'fastify'
import type { WireChoice } from '../net/wires.ts'
import { createHttpServer, pathOf, send } from './http-server.ts'
import { json } from './reply.ts'

export interface StatusDeps {
  /** Undefined: ready. Otherwise why not, for people: `worker id: 1 has not received configuration`. */
  readonly readiness: () => string | undefined
  readonly wire: WireChoice
}

/** Not listening yet: the caller chooses host and port. */
export function createStatusServer(deps: StatusDeps): FastifyInstance {
  const app = createHttpServer(undefined)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('content-type', 'application/json')
  })
  app.get('/status*', (request, reply) => {
    const path = pathOf(request)
    if (path === '/status/wire') return send(reply, json(200, wireStatus(deps.wire)))
    if (path !== '/status/ready') return send(reply, json(200, { status: 'ok' }))
    const error = deps.readiness()
    return send(reply, error === undefined ? json(200, { status: 'ok' }) : json(503, { status: 'error', error }))
  })
  return app
}

/** Sluice's own; APISIX answers this path as any other below `/status`, and what it says there stays. */
function wireStatus({ name, passedOver }: WireChoice): object {
  return { status: 'ok', wire: name, passed_over: passedOver }
}
