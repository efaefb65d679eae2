/** The gateway as a user starts it: its own command, a home of its own, routes by the Admin API. One worker. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePort, makeDir, type Running, start } from '../../test/support/servers/program.ts'

const root = resolve(import.meta.dirname, '../..')
const adminKey = 'benchmark-only-key-of-32-letters'

export interface SluiceOptions {
  readonly tcp: { readonly listen: number; readonly backend: number }
  readonly udp: { readonly listen: number; readonly backend: number }
  readonly wire: string
  readonly cpu: number
}

/** Resolves when both routes are in place. */
export async function startSluice(options: SluiceOptions): Promise<Running> {
  const { tcp, udp, wire, cpu } = options
  const dir = makeDir(undefined)
  const admin = await freePort()
  mkdirSync(join(dir, 'conf'))
  // JSON is YAML.
  writeFileSync(
    join(dir, 'conf/config.yaml'),
    JSON.stringify(configuration(tcp.listen, udp.listen, admin, wire), null, 2),
  )
  const call = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`http://127.0.0.1:${admin}/apisix/admin/${path}`, {
      method,
      headers: { 'X-API-KEY': adminKey },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const running = await start({
    program: process.execPath,
    args: [join(root, 'bin/sluice'), 'start', '--foreground', '--home', dir],
    port: tcp.listen,
    dir,
    cpu,
    answers: async () => (await call('GET', 'upstreams')).ok,
  })
  try {
    for (const [id, { listen, backend }] of Object.entries({ tcp, udp })) {
      const upstream = {
        type: 'roundrobin',
        nodes: { [`127.0.0.1:${backend}`]: 1 },
        timeout: { connect: 5, send: 600, read: 600 },
      }
      await put(call, `upstreams/${id}`, upstream)
      await put(call, `stream_routes/${id}`, { server_port: listen, upstream_id: id })
    }
  } catch (error) {
    await running.stop()
    throw error
  }
  return running
}

async function put(
  call: (method: string, path: string, body: unknown) => Promise<Response>,
  path: string,
  body: unknown,
): Promise<void> {
  const response = await call('PUT', path, body)
  if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`)
}

function configuration(tcp: number, udp: number, admin: number, wire: string): unknown {
  return {
    apisix: {
      proxy_mode: 'stream',
      stream_proxy: { tcp: [`127.0.0.1:${tcp}`], udp: [`127.0.0.1:${udp}`] },
      enable_control: false,
    },
    nginx_config: { error_log: 'stderr', worker_processes: 1, event: { worker_connections: 19_000 } },
    deployment: {
      role: 'traditional',
      role_traditional: { config_provider: 'embedded' },
      admin: {
        admin_key: [{ name: 'admin', key: adminKey, role: 'admin' }],
        admin_listen: { ip: '127.0.0.1', port: admin },
        enable_admin_ui: false,
      },
    },
    plugin_attr: { prometheus: { enable_export_server: false } },
    sluice: { wire },
  }
}
