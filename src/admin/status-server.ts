/** The status server: `/status` says that the process lives, `/status/ready` whether it can serve traffic. */
import type { FastifyInstance } from 'fastify'
import { createHttpServer, pathOf, send } from './http-server.ts'
import { json } from './reply.ts'

export interface StatusDeps {
  /** Undefined: ready. Otherwise why not, for people: `worker id: 1 has not received configuration`. */
  readonly readiness: () => string | undefined
}

/** Not listening yet: the caller chooses host and port. */
export function createStatusServer(deps: StatusDeps): FastifyInstance {
  const app = createHttpServer(undefined)
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('content-type', 'application/json')
  })
  app.get('/status*', (request, reply) => {
    if (pathOf(request) !== '/status/ready') return send(reply, json(200, { status: 'ok' }))
    const error = deps.readiness()
    return send(reply, error === undefined ? json(200, { status: 'ok' }) : json(503, { status: 'error', error }))
  })
  return app
}
