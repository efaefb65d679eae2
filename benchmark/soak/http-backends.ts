/** What stands behind the gateway of an HTTP soak: backends that say who they are and what they were asked, and one that echoes. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '../../test/support/home.ts'
import { nginxMissing, startNginx } from '../../test/support/servers/nginx.ts'
import { freePort } from '../../test/support/servers/program.ts'

export interface HttpBackends {
  /** Addresses of those that answer `NAME METHOD PATH …`, by their names: `b0`, `b1`, … Nothing happens to them. */
  readonly nodes: ReadonlyMap<string, string>
  /** The address of the one that sends back the bodies it is sent. */
  readonly echo: string
  /** What `/large` of the others is. */
  readonly large: Buffer
  stop(): Promise<void>
}

const count = 6
const largeBytes = 300_000
/** Fields that plugins set, shown in the body: what a backend was sent can be looked at from outside. */
const shown = ['x_service', 'x_route', 'x_consumer_username']

/** Rejects when there is no nginx. */
export async function startHttpBackends(cpu: number): Promise<HttpBackends> {
  const missing = nginxMissing()
  if (missing !== false) throw new Error(missing)
  const folder = temporaryFolder('sluice-soak')
  const large = Buffer.from(Array.from({ length: largeBytes }, (_, index) => 33 + ((index * 7919 + (index >> 8)) % 90)))
  writeFileSync(join(folder.path, 'large'), large)
  const nodes = new Map<string, string>()
  for (let index = 0; index < count; index++) nodes.set(`b${index}`, `127.0.0.1:${await freePort()}`)
  const fields = shown.map((name) => `${name}=$http_${name}`).join(' ')
  const servers = [...nodes].map(
    ([name, node]) => `
    server {
      listen ${node} backlog=4096;
      location / { return 200 '${name} $request_method $uri ${fields}\\n'; }
      location = /large { root ${folder.path}; }
    }`,
  )
  const http = `
    access_log off;
    default_type text/plain;
    # They never close a connection that the gateway may be about to use; but each ends after a thousand requests, announced.
    keepalive_timeout 1h;
    client_max_body_size 0;
    ${servers.join('')}`
  const port = Number([...nodes.values()][0]?.split(':')[1])
  const running = await startNginx({ http, port, cpu })
  const echo = createServer((request, response) => {
    const length = request.headers['content-length']
    response.writeHead(200, length === undefined ? {} : { 'content-length': length })
    request.pipe(response)
    // A client that goes away in the middle is part of the soak.
    request.on('error', () => response.destroy())
  })
  echo.keepAliveTimeout = 3_600_000
  await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done))
  return {
    nodes,
    echo: `127.0.0.1:${(echo.address() as AddressInfo).port}`,
    large,
    async stop() {
      await running.stop()
      echo.closeAllConnections()
      await new Promise((done) => echo.close(done))
      folder[Symbol.dispose]()
    },
  }
}
