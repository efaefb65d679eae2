/** A gateway of the demo's own: the real command in a temporary home, and its Admin API. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const root = resolve(import.meta.dirname, '../..')
const startMs = 30_000

export class DemoGateway {
  readonly home: string
  readonly adminPort: number
  readonly adminKey: string
  readonly #child: ChildProcess

  private constructor(home: string, adminPort: number, adminKey: string, child: ChildProcess) {
    this.home = home
    this.adminPort = adminPort
    this.adminKey = adminKey
    this.#child = child
  }

  /** Starts it with these settings (those of `apisix:` and `sluice:` in config.yaml) and waits for its Admin API. */
  static async start(apisix: object, sluice: object, adminPort: number, metricsPort: number): Promise<DemoGateway> {
    const home = mkdtempSync(join(tmpdir(), 'sluice-demo-'))
    const adminKey = 'demo-key-demo-key-demo-key-demo1'
    const conf = {
      apisix: { proxy_mode: 'stream', enable_control: false, ...apisix },
      nginx_config: { worker_processes: 2, error_log: 'logs/error.log' },
      deployment: {
        role: 'traditional',
        role_traditional: { config_provider: 'embedded' },
        admin: {
          admin_key: [{ name: 'admin', key: adminKey, role: 'admin' }],
          admin_listen: { ip: '127.0.0.1', port: adminPort },
        },
      },
      plugin_attr: { prometheus: { export_addr: { ip: '127.0.0.1', port: metricsPort } } },
      sluice,
    }
    mkdirSync(join(home, 'conf'))
    // JSON is YAML.
    writeFileSync(join(home, 'conf/config.yaml'), JSON.stringify(conf, null, 2), { mode: 0o600 })
    const args = [join(root, 'bin/sluice'), 'start', '--foreground', '--home', home]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const gateway = new DemoGateway(home, adminPort, adminKey, child)
    try {
      await gateway.#ready()
      return gateway
    } catch (error) {
      await gateway.stop()
      throw error
    }
  }

  /** One call of the Admin API; rejects with its answer when it is refused. */
  async admin(method: 'GET' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}/apisix/admin/${path}`, {
      method,
      headers: { 'X-API-KEY': this.adminKey },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  }

  /** Ends when the gateway does. */
  async ended(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      await new Promise((done) => this.#child.once('exit', done))
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.ended()
    rmSync(this.home, { recursive: true, force: true })
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + startMs
    for (;;) {
      if (this.#child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`the gateway did not start:\n${this.#errorLog()}`)
      }
      try {
        return await this.admin('GET', 'upstreams')
      } catch {
        await pause(50)
      }
    }
  }

  #errorLog(): string {
    try {
      return readFileSync(join(this.home, 'logs/error.log'), 'utf8')
    } catch {
      return '(it wrote no error log)'
    }
  }
}
