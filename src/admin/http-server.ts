/**
 * What the three control-side servers (Admin, Control, status) have in common: a fastify instance that parses no
 * body, answers unknown paths and broken requests with a page, and writes replies exactly as handlers gave them.
 */
import type { ServerResponse } from 'node:http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { WriteError } from '../config/source.ts'
import type { Log } from '../observability/log.ts'
import { json, page, Refusal, type Reply } from './reply.ts'

/** PEM texts; `ca` turns on client certificates: only those it signed may connect. */
export interface ServerTls {
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

/** How long a request may take to arrive whole. */
const requestTimeoutMs = 60_000
/** Connections of one server at once; further ones are closed as they come. */
const maxConnections = 1024
/** Paths longer than this are refused by Node with the rest of an oversize head. */
const maxPathLength = 16_384

/** Not listening yet. Bodies are left unread: a handler that wants one reads `request.raw`. */
export function createHttpServer(tls: ServerTls | undefined): FastifyInstance {
  const common = {
    logger: false,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    requestTimeout: requestTimeoutMs,
    routerOptions: { maxParamLength: maxPathLength },
    frameworkErrors: (_error: unknown, _request: unknown, reply: unknown) => {
      void send(reply as FastifyReply, page(400))
    },
    clientErrorHandler: refuseBrokenRequest,
  } as const
  // the TLS variant differs only in the type of its raw socket, which nobody here touches
  const app = (tls === undefined
    ? fastify(common)
    : fastify({ ...common, https: tlsOptions(tls) })) as unknown as FastifyInstance
  app.server.maxConnections = maxConnections
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined))
  app.addHook('onRequest', async (request) => {
    const { headers } = request.raw
    if (headers['content-type'] === undefined) return
    sentTypes.set(request, headers['content-type'])
    // fastify refuses a type that it cannot read, and here nobody may be refused for it
    delete headers['content-type']
  })
  app.setNotFoundHandler((_request, reply) => send(reply, page(404)))
  return app
}

function tlsOptions(tls: ServerTls) {
  const client = tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true, rejectUnauthorized: true }
  return { cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' as const, ...client }
}

/** Bytes that are no HTTP request never reach a handler; they get a page and the connection is closed. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: ServerResponse['socket']): void {
  if (error.code === 'ECONNRESET' || socket === null || !socket.writable) {
    socket?.destroy(error)
    return
  }
  const body = page(error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400).body as string
  const line = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  const head = `HTTP/1.1 ${line}\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n`
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

const sentTypes = new WeakMap<FastifyRequest, string>()

/** The content type that a request came with. */
export function contentTypeOf(request: FastifyRequest): string | undefined {
  return sentTypes.get(request)
}

/** Writes a reply over the headers that hooks have set. */
export function send(reply: FastifyReply, answer: Reply): FastifyReply {
  reply.code(answer.status)
  if (answer.headers !== undefined) reply.headers(answer.headers)
  const { body } = answer
  if (body === undefined) return reply.send()
  // bytes: for text fastify would add a charset to the content type
  if (typeof body === 'string') return reply.send(Buffer.from(body))
  if ('json' in body) return reply.send(Buffer.from(`${JSON.stringify(body.json)}\n`))
  return reply.send(body)
}

/**
 * Runs a handler and sends what it returns. A `Refusal` is its reply, a failed write is 503 with its reason;
 * anything else is logged and told to the client only as 500.
 */
export async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  log: Log,
  handler: () => Reply | Promise<Reply>,
): Promise<FastifyReply> {
  try {
    return send(reply, await handler())
  } catch (error) {
    if (error instanceof Refusal) return send(reply, error.reply)
    if (error instanceof WriteError) {
      log.warn({ error, reason: error.reason }, 'the configuration store did not do what an admin request asked for')
      return send(reply.header('x-api-version', 'v3'), json(503, { error_msg: error.message }))
    }
    // the path alone: a query may hold a key
    log.error({ error, method: request.method, path: pathOf(request) }, 'an admin request failed')
    return send(reply, json(500, { error_msg: 'internal error' }))
  }
}

/** The path of a request, still encoded, without its query. */
export function pathOf(request: FastifyRequest): string {
  const url = request.raw.url ?? '/'
  const at = url.indexOf('?')
  return at < 0 ? url : url.slice(0, at)
}

export function queryOf(request: FastifyRequest): URLSearchParams {
  const url = request.raw.url ?? '/'
  const at = url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1))
}

/** The decoded segments of a path below `base` segments; empty ones (`//`, a slash at the end) do not count. */
export function segmentsOf(request: FastifyRequest, base: number): readonly string[] {
  const path = decodeURIComponent(pathOf(request))
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .slice(base)
}
