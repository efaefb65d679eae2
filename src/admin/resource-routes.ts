/** From a resource's path and method to its handler, with what is checked before the kind has a say. */
import type { FastifyRequest } from 'fastify'
import type { Json } from '../base/json.ts'
import type { ResourceKind } from '../resources/kind.ts'
import { numberIn } from './list.ts'
import { Refusal, type Reply, refusal } from './reply.ts'
import { parseJsonBody, readBody } from './request-body.ts'
import type { Address } from './resource-address.ts'
import { readList, readOne } from './resource-read.ts'
import { deleteResource, patchResource, postResource, putResource, type WriteDeps } from './resource-write.ts'

export const resourceMethods = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'] as const
export type ResourceMethod = (typeof resourceMethods)[number]

export interface ResourceDeps extends WriteDeps {
  readonly streamEnabled: boolean
}

/** Kinds that are stored and synced, but drive nothing in this version. */
const unused: ReadonlySet<string> = new Set(['protos', 'secrets', 'graphql_cost_decorations'])
const unusedWarning = '299 - "stored; nothing in this version uses it"'

/** Answers one call for a resource. `segments` begin after `/apisix/admin`. */
export async function handleResource(
  deps: ResourceDeps,
  request: FastifyRequest,
  method: ResourceMethod,
  segments: readonly string[],
  query: URLSearchParams,
): Promise<Reply> {
  if (segments[0] === 'stream_routes' && !deps.streamEnabled) {
    throw refusal(400, 'stream mode is disabled, can not add stream routes')
  }
  const address = deps.table.address(segments)
  if (address === undefined) throw refusal(404, `Unsupported resource type: ${segments[0] ?? 'nil'}`)
  const writes = method !== 'GET' && method !== 'DELETE'
  const body = writes ? parseJsonBody(await readBody(request.raw)) : undefined
  const ttl = timeToLive(query)
  return handled(() => dispatch(deps, address, method, { body, ttl, query }))
}

/** What every reply has, refusals too, once a call has reached the handler of a resource. */
export async function handled(run: () => Reply | Promise<Reply>): Promise<Reply> {
  const reply = await Promise.try(run).catch((error: unknown) => {
    if (error instanceof Refusal) return error.reply
    throw error
  })
  return { ...reply, headers: { 'x-api-version': 'v3', ...reply.headers } }
}

interface Arguments {
  readonly body: Json | undefined
  readonly ttl: number | undefined
  readonly query: URLSearchParams
}

async function dispatch(
  deps: ResourceDeps,
  address: Address,
  method: ResourceMethod,
  { body, ttl, query }: Arguments,
): Promise<Reply> {
  const { kind, id } = address
  if (!kind.methods.has(method)) throw refusal(405, `not supported \`${method}\` method for ${kind.noun}`)
  switch (method) {
    case 'GET':
      return id === undefined ? readList(deps, address, query) : readOne(deps, address, id)
    case 'PUT':
      return marked(kind, await putResource(deps, address, body, ttl))
    case 'POST':
      return marked(kind, await postResource(deps, address, body, ttl))
    case 'PATCH':
      return marked(kind, await patchResource(deps, address, body, ttl))
    case 'DELETE':
      return deleteResource(deps, address, query.get('force') === 'true')
  }
}

function timeToLive(query: URLSearchParams): number | undefined {
  if (!query.has('ttl')) return undefined
  const ttl = numberIn(query, 'ttl')
  if (ttl === undefined) throw refusal(400, 'invalid argument ttl: should be a number')
  if (ttl <= 0) throw refusal(400, 'invalid argument ttl: should be greater than 0')
  return ttl
}

function marked(kind: ResourceKind, reply: Reply): Reply {
  if (reply.status >= 300 || !unused.has(kind.name)) return reply
  return { ...reply, headers: { ...reply.headers, warning: unusedWarning } }
}
