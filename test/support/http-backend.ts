/** An HTTP server of Node's own for tests to put behind the gateway: it keeps what it was asked, and answers as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** As they came: name, value, name, value. */
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

export interface HttpBackend extends AsyncDisposable {
  readonly name: string
  readonly port: number
  /** `127.0.0.1:port`, as a key of an upstream's nodes. */
  readonly node: string
  /** Requests that came whole. */
  readonly requests: readonly SeenRequest[]
  /** Connections so far. */
  readonly connections: () => number
  readonly stop: () => Promise<void>
}

export interface HttpBackendOptions {
  readonly name?: string
  readonly port?: number
  /** Makes it speak TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string; readonly requestCert?: boolean }
  /** Called once the request has come whole. Default: 200 with the backend's name, and in `x-seen` what was asked. */
  readonly answer?: (request: SeenRequest, response: ServerResponse, raw: IncomingMessage) => void
}

/** Listens on 127.0.0.1. */
export async function httpBackend(options: HttpBackendOptions = {}): Promise<HttpBackend> {
  const name = options.name ?? 'backend'
  const requests: SeenRequest[] = []
  const open = new Set<Socket>()
  let connections = 0
  const answer = options.answer ?? ((seen, response) => greet(name, seen, response))
  const serve: RequestListener = (raw, response) => {
    const parts: Buffer[] = []
    raw.on('data', (part: Buffer) => parts.push(part))
    raw.on('error', () => response.destroy())
    raw.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = raw
      const seen = { method, url, headers, rawHeaders, body: Buffer.concat(parts) }
      requests.push(seen)
      answer(seen, response, raw)
    })
  }
  const server = options.tls === undefined ? createServer(serve) : createTlsServer(options.tls, serve)
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket: Socket) => {
    connections++
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const stop = async (): Promise<void> => {
    for (const socket of open) socket.destroy()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
  return {
    ...{ name, port, node: `127.0.0.1:${port}`, requests, stop },
    connections: () => connections,
    [Symbol.asyncDispose]: stop,
  }
}

function greet(name: string, { method, url, body }: SeenRequest, response: ServerResponse): void {
  response.setHeader('content-type', 'text/plain')
  response.setHeader('x-seen', `${method} ${url} ${body.length}`)
  response.end(`${name}\n`)
}
