/** What stands behind the proxies of HTTP: nginx that answers by itself, from memory or from one file, on the load's processor. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../test/support/home.ts'
import { nginxMissing, startNginx } from '../../test/support/servers/nginx.ts'
import { freePort } from '../../test/support/servers/program.ts'

export interface HttpBackend {
  readonly port: number
  stop(): Promise<void>
}

/** Bodies of `/large`, and of requests that are as large. */
export const largeBytes = 1 << 20
/** About a hundred bytes. */
export const smallBody = `{"greeting":"${'hello '.repeat(14).trim()}"}\n`

/** What a backend sees of a request, in one line: equal for all that pass on the same. */
const seen = ['host', 'x_real_ip', 'x_forwarded_for', 'x_forwarded_proto', 'x_forwarded_host', 'x_forwarded_port']

/** Rejects when there is no nginx: nothing else here answers as cheaply. */
export async function startHttpBackend(cpu: number): Promise<HttpBackend> {
  const missing = nginxMissing()
  if (missing !== false) throw new Error(missing)
  const port = await freePort()
  const folder = temporaryFolder('sluice-http')
  writeFileSync(join(folder.path, 'large'), Buffer.alloc(largeBytes, 'x'))
  const line = seen.map((name) => `${name}=$http_${name}`).join(' ')
  const http = `
    access_log off;
    sendfile on;
    tcp_nopush on;
    default_type application/json;
    client_max_body_size 0;
    client_body_temp_path body;
    client_body_buffer_size ${2 * largeBytes};
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    server {
      listen 127.0.0.1:${port} backlog=4096;
      location / { return 200 '${smallBody}'; }
      location = /large { root ${folder.path}; }
      # By way of itself: it answers only when the body is there, which it does not wait for otherwise.
      location = /upload { proxy_pass http://127.0.0.1:${port}/; proxy_pass_request_body off; proxy_set_header Content-Length ''; }
      location = /seen { return 200 '${line} connection=$http_connection\\n'; }
    }`
  const running = await startNginx({ http, port, cpu })
  return {
    port,
    async stop() {
      await running.stop()
      folder[Symbol.dispose]()
    },
  }
}
