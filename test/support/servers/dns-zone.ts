/** A real dnsmasq whose names can be changed while it runs, and which can be stopped and started on the same port. */

import { Resolver } from 'node:dns/promises'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../until.ts'
import { findProgram, freePort, makeDir, type Running, removeDir, start } from './program.ts'

export class DnsZone {
  readonly port: number
  readonly #dir: string
  readonly #hosts: string
  readonly #args: readonly string[]
  #running: Running | undefined
  #generation = 0

  private constructor(port: number, dir: string, args: readonly string[]) {
    this.port = port
    this.#dir = dir
    this.#hosts = join(dir, 'hosts')
    this.#args = args
    this.#running = undefined
  }

  /** Knows the names set here and nothing else of `zone.test`. `args` are more options of dnsmasq. */
  static async open(args: readonly string[] = []): Promise<DnsZone> {
    const zone = new DnsZone(await freePort(), makeDir(undefined), args)
    await zone.up()
    return zone
  }

  get server(): string {
    return `127.0.0.1:${this.port}`
  }

  /** Replaces all names, and resolves when the answers are the new ones. They say that they are good for a second. */
  async set(hosts: Readonly<Record<string, readonly string[]>>): Promise<void> {
    this.#write(hosts)
    if (this.#running === undefined) return
    process.kill(this.#running.pid, 'SIGHUP')
    await until(() => this.#answers().catch(() => false), { what: 'the new names' })
  }

  #write(hosts: Readonly<Record<string, readonly string[]>>): void {
    this.#generation += 1
    const lines = Object.entries(hosts).flatMap(([name, addresses]) =>
      addresses.map((address) => `${address} ${name}\n`),
    )
    writeFileSync(this.#hosts, `127.0.0.1 ${this.#mark}\n${lines.join('')}`)
  }

  /** A name that only the names of this moment have. */
  get #mark(): string {
    return `generation-${this.#generation}.zone.test`
  }

  async #answers(): Promise<boolean> {
    const resolver = new Resolver({ timeout: 200, tries: 1 })
    resolver.setServers([this.server])
    return (await resolver.resolve4(this.#mark)).length === 1
  }

  async up(): Promise<void> {
    if (this.#running !== undefined) return
    // Its directory goes when it stops, ours stays.
    const own = makeDir(undefined)
    const args = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      `--port=${this.port}`,
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      '--no-resolv',
      '--no-hosts',
      '--pid-file=',
      '--log-facility=-',
      '--log-queries',
      '--local-ttl=1',
      '--local=/test/',
      `--user=${process.getuid?.() === 0 ? 'root' : ''}`,
      `--addn-hosts=${this.#hosts}`,
      ...this.#args,
    ]
    this.#write({})
    const answers = (): Promise<boolean> => this.#answers()
    this.#running = await start({ program: findProgram('dnsmasq')!, args, port: this.port, dir: own, answers })
  }

  async down(): Promise<void> {
    await this.#running?.stop()
    this.#running = undefined
  }

  /** How often it was asked for a name: `query[A] name`. */
  asked(what: string): number {
    return (this.#running?.output() ?? '').split(`${what} from`).length - 1
  }

  async close(): Promise<void> {
    await this.down()
    removeDir(this.#dir)
  }
}
