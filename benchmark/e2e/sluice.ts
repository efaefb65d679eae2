/** The gateway as a user starts it: its own command, a home of its own, resources by the Admin API. One worker. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePort, makeDir, type Running, start } from '../../test/support/servers/program.ts'

const root = resolve(import.meta.dirname, '../..')
const adminKey = 'benchmark-only-key-of-32-letters'

export interface SluiceOptions {
  readonly wire: string
  readonly cpu: number
  /** The section `apisix` of its configuration: what it listens on. */
  readonly apisix: object
  readonly nginxConfig?: object
  /** A TCP port that it accepts on when it is up. */
  readonly port: number
  readonly env?: Readonly<Record<string, string>> | undefined
}

export interface RunningSluice extends Running {
  /** Puts a resource: `routes/1`. Rejects with the answer when it is not taken. */
  put(path: string, body: object): Promise<void>
}

/** Resolves when it serves; without a route. */
export async function startSluice(options: SluiceOptions): Promise<RunningSluice> {
  const { cpu, env, port } = options
  const dir = makeDir(undefined)
  const admin = await freePort()
  mkdirSync(join(dir, 'conf'))
  // JSON is YAML.
  writeFileSync(join(dir, 'conf/config.yaml'), JSON.stringify(configuration(options, admin), null, 2))
  const call = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`http://127.0.0.1:${admin}/apisix/admin/${path}`, {
      method,
      headers: { 'X-API-KEY': adminKey },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const running = await start({
    program: process.execPath,
    args: [join(root, 'bin/sluice'), 'start', '--foreground', '--home', dir],
    port,
    dir,
    cpu,
    ...(env === undefined ? {} : { env }),
    answers: async () => (await call('GET', 'upstreams')).ok,
  })
  const put = async (path: string, body: object): Promise<void> => {
    const response = await call('PUT', path, body)
    if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${(await response.text()).trim()}`)
  }
  return { ...running, put }
}

function configuration({ wire, apisix, nginxConfig }: SluiceOptions, admin: number): object {
  return {
    apisix: { ...apisix, enable_control: false },
    nginx_config: {
      error_log: 'stderr',
      worker_processes: 1,
      event: { worker_connections: 19_000 },
      ...nginxConfig,
    },
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
