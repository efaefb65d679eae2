/**
 * The contenders for HTTP: each a reverse proxy that keeps connections on both sides and passes on the same headers, with a
 * path that asks for a key and one that counts requests. Their logs of requests are off.
 */
import { haproxyMissing, startHaproxy } from '../../test/support/servers/haproxy.ts'
import { nginxMissing, startNginx } from '../../test/support/servers/nginx.ts'
import { freePort, type Running } from '../../test/support/servers/program.ts'
import { type Choice, type Contender, type Entrant, type Ports, reasonOf, sluiceName } from './contenders.ts'
import type { HttpSite } from './http-site.ts'
import { type RunningSluice, startSluice } from './sluice.ts'

/** What `/keyed` asks for, in the header `apikey`. */
export const apiKey = 'benchmark-consumer-key'
const allPaths = ['/', '/keyed', '/limited']
/** A limit that is counted and never reached. */
const unreachable = 1_000_000_000

/** In the order of the tables. */
export function httpEntrants(site: HttpSite, { names, wires }: Choice): readonly Entrant[] {
  return [
    ...(names.includes('sluice') ? wires.map((wire) => sluice(site, wire)) : []),
    ...(names.includes('nginx') ? [nginx(site)] : []),
    ...(names.includes('haproxy') ? [haproxy(site)] : []),
  ]
}

function sluice(site: HttpSite, wire: string): Entrant {
  const name = sluiceName(wire)
  return {
    name,
    async start(env) {
      const [http, https] = [await freePort(), await freePort()]
      const apisix = {
        proxy_mode: 'http',
        node_listen: [{ ip: '127.0.0.1', port: http }],
        ssl: { enable: true, listen: [{ ip: '127.0.0.1', port: https }] },
      }
      const nginxConfig = { http: { enable_access_log: false } }
      const running = await startSluice({ wire, cpu: site.cpu, apisix, nginxConfig, port: http, env })
      try {
        const paths = await addRoutes(running, site, name)
        return contender(name, running, { http, https }, paths)
      } catch (error) {
        await running.stop()
        throw error
      }
    },
  }
}

/** Resolves with the paths that it serves: a plugin that this version does not have costs only its path. */
async function addRoutes(running: RunningSluice, site: HttpSite, name: string): Promise<readonly string[]> {
  const upstream = { nodes: { [`127.0.0.1:${site.backend}`]: 1 }, type: 'roundrobin' }
  await running.put('ssls/1', { cert: site.cert, key: site.key, snis: ['localhost'] })
  await running.put('routes/1', { uri: '/*', upstream })
  const limit = { count: unreachable, time_window: 60, rejected_code: 503, key: 'remote_addr', policy: 'local' }
  const guarded: readonly [path: string, resources: Readonly<Record<string, object>>][] = [
    [
      '/keyed',
      {
        'consumers/bench': { username: 'bench', plugins: { 'key-auth': { key: apiKey } } },
        'routes/2': { uri: '/keyed', plugins: { 'key-auth': {} }, upstream },
      },
    ],
    ['/limited', { 'routes/3': { uri: '/limited', plugins: { 'limit-count': limit, prometheus: {} }, upstream } }],
  ]
  const paths = ['/']
  for (const [path, resources] of guarded) {
    try {
      for (const [at, body] of Object.entries(resources)) await running.put(at, body)
      paths.push(path)
    } catch (error) {
      site.say(`${name} without ${path}: ${reasonOf(error)}`)
    }
  }
  return paths
}

function nginx(site: HttpSite): Entrant {
  return {
    name: 'nginx',
    async start() {
      const missing = nginxMissing()
      if (missing !== false) throw new Error(missing)
      const [http, https] = [await freePort(), await freePort()]
      const text = `
    access_log off;
    client_max_body_size 0;
    proxy_temp_path proxy;
    client_body_temp_path body;
    keepalive_requests 1000000000;
    map $http_apikey $has_key { default 0; '${apiKey}' 1; }
    limit_req_zone $remote_addr zone=all:1m rate=1000000r/s;
    upstream backend { server 127.0.0.1:${site.backend}; keepalive 320; keepalive_requests 1000000000; }
    proxy_http_version 1.1;
    proxy_set_header Connection '';
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-Port $server_port;
    server {
      listen 127.0.0.1:${http} backlog=4096;
      listen 127.0.0.1:${https} ssl backlog=4096;
      ssl_certificate ${site.files.cert};
      ssl_certificate_key ${site.files.key};
      ssl_protocols TLSv1.2 TLSv1.3;
      location / { proxy_pass http://backend; }
      location = /keyed { if ($has_key = 0) { return 401; } proxy_pass http://backend; }
      location = /limited { limit_req zone=all burst=1000000 nodelay; proxy_pass http://backend; }
    }`
      return contender('nginx', await startNginx({ http: text, port: http, cpu: site.cpu }), { http, https }, allPaths)
    },
  }
}

function haproxy(site: HttpSite): Entrant {
  return {
    name: 'haproxy',
    async start() {
      const missing = haproxyMissing()
      if (missing !== false) throw new Error(missing)
      const [http, https] = [await freePort(), await freePort()]
      const sections = `listen bench
  mode http
  bind 127.0.0.1:${http} backlog 4096
  bind 127.0.0.1:${https} ssl crt ${site.files.both} backlog 4096
  option http-keep-alive
  http-reuse always
  option forwardfor
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  stick-table type ip size 1k expire 60s store http_req_rate(60s)
  http-request deny deny_status 401 if { path /keyed } !{ req.hdr(apikey) ${apiKey} }
  http-request track-sc0 src if { path /limited }
  http-request deny deny_status 503 if { path /limited } { sc_http_req_rate(0) gt ${unreachable} }
  server one 127.0.0.1:${site.backend} pool-max-conn 320`
      return contender(
        'haproxy',
        await startHaproxy({ sections, port: http, cpu: site.cpu }),
        { http, https },
        allPaths,
      )
    },
  }
}

function contender(name: string, running: Running, ports: Ports, paths: readonly string[]): Contender {
  return { name, ports, paths, pid: running.pid, stop: () => running.stop() }
}
