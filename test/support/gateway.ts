/** A whole gateway as a process of its own, with a home in a temporary folder and ports that nobody else uses. */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { connect, type Identity } from '../../src/cli/control-socket.ts'
import { homeFiles } from '../../src/cli/home.ts'
import type { GatewayStatus } from '../../src/gateway.ts'
import { freePort } from './free-port.ts'
import { adminKey, baseConfig, merged, type PortName } from './gateway-config.ts'
import { temporaryFolder } from './home.ts'
import { type AskOptions, askHttp, type Reply } from './http-ask.ts'
import { root } from './source-tree.ts'
import { until } from './until.ts'

export interface TestGatewayOptions {
  /** Laid over the base configuration: objects merge, all else replaces. */
  readonly config?: object
  /** Threads; default 1. */
  readonly workers?: number
  /** Put by the Admin API before the gateway is handed over: `{'/upstreams/1': {…}}`, in that order. */
  readonly resources?: Readonly<Record<string, unknown>>
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Added behind `start --foreground --home …`. */
  readonly args?: readonly string[]
  /** Put in front of the program: `['prlimit', '--nofile=4096:4096']`. It must become the program, not its parent. */
  readonly under?: readonly string[]
  /** How long the start may take. Default 60000. */
  readonly startMs?: number
}

export interface TestGateway extends AsyncDisposable {
  readonly home: string
  readonly pid: number
  readonly ports: Readonly<Record<PortName, number>>
  port(name: PortName): number
  /** `path` begins behind `/apisix/admin`. A string is sent as it is, all else as JSON. */
  admin(method: string, path: string, body?: unknown): Promise<Reply>
  /** Any request to one of the gateway's own servers. */
  ask(name: PortName, path: string, options?: AskOptions): Promise<Reply>
  status(): Promise<GatewayStatus>
  /** By the control socket, as `sluice reload` does. Resolves with the warnings. */
  reload(): Promise<readonly string[]>
  /** Writes config.yaml anew, merged as at the start; a reload puts it in force. */
  configure(config: object): void
  /** What was said on the terminal and what stands in the error log. */
  log(): Promise<string>
  /** The text of a file in the home; empty when there is none. */
  file(name: string): Promise<string>
  /** Resolves at once, for SIGKILL when the process is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Waits for the end if it was killed or is quitting, else stops it; then starts it again with home and ports as they are. */
  restart(): Promise<TestGateway>
  /** Ends it and removes its home. Rejects with the log if it did not end by itself with status 0. */
  stop(): Promise<void>
}

const stopMs = 15_000
const ends: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL']

/** Resolves when the gateway serves. Rejects with its log when it does not come up. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const ports: Record<PortName, number> = {
    admin: await freePort(),
    control: await freePort(),
    prometheus: await freePort(),
    status: await freePort(),
    http: await freePort(),
    https: await freePort(),
  }
  const folder = temporaryFolder('sluice-gateway')
  const gateway = new Running(folder.path, ports, options)
  gateway.configure(options.config ?? {})
  await gateway.begin()
  for (const [at, resource] of Object.entries(options.resources ?? {})) {
    const reply = await gateway.admin('PUT', at, resource)
    if (reply.status < 300) continue
    await gateway.stop()
    throw new Error(`PUT ${at}: ${reply.status} ${JSON.stringify(reply.body)}`)
  }
  return gateway
}

class Running implements TestGateway {
  readonly home: string
  readonly ports: Record<PortName, number>
  readonly #options: TestGatewayOptions
  #child: ChildProcess | undefined
  #exit: Promise<void> = Promise.resolve()
  /** The signal that will end it, once sent. */
  #ending: NodeJS.Signals | undefined
  readonly #clean = (): void => {
    this.#child?.kill('SIGKILL')
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 })
  }

  constructor(home: string, ports: Record<PortName, number>, options: TestGatewayOptions) {
    this.home = home
    this.ports = ports
    this.#options = options
    mkdirSync(path.join(home, 'conf'))
    mkdirSync(path.join(home, 'logs'))
    // A test that ends without stopping its gateway leaves neither a process nor a folder.
    process.once('exit', this.#clean)
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  port(name: PortName): number {
    return this.ports[name]
  }

  configure(config: object): void {
    const whole = merged(baseConfig(this.ports, this.#options.workers ?? 1), config)
    writeFileSync(path.join(this.home, 'conf/config.yaml'), JSON.stringify(whole, undefined, 2))
  }

  async begin(): Promise<void> {
    const output = openSync(this.#terminal, 'a')
    const [program, ...args] = [
      ...(this.#options.under ?? []),
      process.execPath,
      path.join(root, 'bin/sluice'),
      'start',
      '--foreground',
      '--home',
      this.home,
      ...(this.#options.args ?? []),
    ] as [string, ...string[]]
    const child = spawn(program, args, {
      stdio: ['ignore', output, output],
      env: { ...process.env, ...this.#options.env },
    })
    closeSync(output)
    this.#child = child
    this.#ending = undefined
    this.#exit = new Promise((resolve) => child.once('exit', () => resolve()))
    child.unref()
    try {
      await until(() => this.#serves(child), { ms: this.#options.startMs ?? 60_000, what: 'a gateway that serves' })
    } catch (error) {
      const log = await this.log()
      process.removeListener('exit', this.#clean)
      this.#clean()
      throw new Error(`${error instanceof Error ? error.message : error}\n${log}`)
    }
  }

  async #serves(child: ChildProcess): Promise<boolean> {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the gateway ended (${child.exitCode ?? child.signalCode}) while starting`)
    }
    const control = await connect(homeFiles(this.home))
    if (control === undefined) return false
    try {
      return ((await control.ask('identity', 5000)) as Identity).state === 'running'
    } catch {
      // Busy loading its own code: asked again until the start has taken too long.
      return false
    } finally {
      control.close()
    }
  }

  admin(method: string, at: string, body?: unknown): Promise<Reply> {
    const headers: Record<string, string> = { 'x-api-key': adminKey }
    if (body === undefined) return this.ask('admin', `/apisix/admin${at}`, { method, headers })
    headers['content-type'] = 'application/json'
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return this.ask('admin', `/apisix/admin${at}`, { method, headers, body: text })
  }

  ask(name: PortName, at: string, options?: AskOptions): Promise<Reply> {
    return askHttp(this.ports[name], at, options)
  }

  async status(): Promise<GatewayStatus> {
    return (await this.#control('status')) as GatewayStatus
  }

  async reload(): Promise<readonly string[]> {
    return (await this.#control('reload')) as readonly string[]
  }

  async #control(what: 'status' | 'reload'): Promise<unknown> {
    const control = await connect(homeFiles(this.home))
    if (control === undefined) throw new Error(`the gateway does not run\n${await this.log()}`)
    try {
      return await control.ask(what, 20_000)
    } finally {
      control.close()
    }
  }

  get #terminal(): string {
    return path.join(this.home, 'logs/terminal.log')
  }

  async log(): Promise<string> {
    return `${await this.file('logs/terminal.log')}${await this.file('logs/error.log')}`
  }

  async file(name: string): Promise<string> {
    const file = path.join(this.home, name)
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (ends.includes(signal)) this.#ending = signal
    this.#child?.kill(signal)
    if (signal === 'SIGKILL') await this.#ended()
  }

  async #ended(): Promise<void> {
    this.#child?.ref()
    await this.#exit
  }

  async restart(): Promise<TestGateway> {
    if (this.#ending === undefined) this.#child?.kill('SIGTERM')
    await this.#ended()
    appendFileSync(this.#terminal, '--- restart\n')
    await this.begin()
    return this
  }

  async stop(): Promise<void> {
    const child = this.#child
    process.removeListener('exit', this.#clean)
    if (child === undefined) return
    const killed = this.#ending === 'SIGKILL'
    child.kill('SIGTERM')
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, stopMs)
    await this.#ended()
    clearTimeout(timer)
    const log = await this.log()
    this.#clean()
    if (late) throw new Error(`the gateway did not stop within ${stopMs} ms\n${log}`)
    if (!killed && child.exitCode !== 0)
      throw new Error(`the gateway ended with ${child.exitCode ?? child.signalCode}\n${log}`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** The ports of streams that are open, those of config.yaml first. */
export async function streamListeners(gateway: TestGateway): Promise<GatewayStatus['listeners']> {
  return (await gateway.status()).listeners.filter(({ serves }) => serves === 'stream')
}
