/**
 * A gateway that carries nothing, for tests of the command line: what it does stands in its configuration file as JSON.
 * Copied to the place of src/gateway.ts in a tree made by `cliTree`; it imports nothing at run time but Node's own.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Gateway, GatewayOptions, GatewayStatus } from '../../src/gateway.ts'

export interface FakeConf {
  /** Start, test and reload fail with this. */
  readonly fault?: string
  readonly warning?: string
  /** Start never ends. */
  readonly hangs?: boolean
  /** The process dies while starting, without a word through the contract. */
  readonly dies?: boolean
  /** Quit waits for a stop. */
  readonly drainsForEver?: boolean
}

type Options = Pick<GatewayOptions, 'home' | 'configFile'>

const fileOf = ({ home, configFile }: Options): string => configFile ?? path.join(home, 'conf', 'config.yaml')
const read = (options: Options): FakeConf => JSON.parse(readFileSync(fileOf(options), 'utf8') || '{}')

export async function checkConfiguration(options: Options): Promise<{ warnings: string[]; errors: string[] }> {
  const { fault, warning } = read(options)
  return { warnings: warning === undefined ? [] : [warning], errors: fault === undefined ? [] : [fault] }
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const conf = read(options)
  const keepAlive = setInterval(() => {}, 60_000)
  options.say('the fake gateway starts')
  if (conf.hangs) await new Promise(() => {})
  if (conf.dies) {
    process.stderr.write('out of luck\n')
    process.exit(70)
  }
  if (conf.fault !== undefined) throw new Error(conf.fault)
  const ended = Promise.withResolvers<void>()
  const note = (line: string): void => appendFileSync(path.join(options.home, 'verbs.txt'), `${line}\n`)
  const end = (verb: string): void => {
    note(verb)
    clearInterval(keepAlive)
    ended.resolve()
  }
  let revision = 1
  return {
    ended: ended.promise,
    stop: async () => end('stop'),
    quit: async () => (conf.drainsForEver ? note('draining') : end('quit')),
    reopenLogs: async () => note('reopenLogs'),
    reload: async () => {
      const { fault, warning } = read(options)
      if (fault !== undefined) throw new Error(fault)
      revision += 1
      note('reload')
      return warning === undefined ? [] : [warning]
    },
    status: async (): Promise<GatewayStatus> => ({
      pid: process.pid,
      version: '1.2.3',
      node: process.version,
      startedAt: '2026-01-02T03:04:05.000Z',
      uptimeSeconds: 93_784,
      wire: 'portable',
      passedOver: [{ name: 'epoll', reason: 'it needs Linux, this is a test' }],
      config: { file: fileOf(options), provider: 'embedded', reachable: true, revision, rejected: 0 },
      listeners: [
        { transport: 'tcp', serves: 'stream', host: '127.0.0.1', port: 9100, tls: true, from: 'config' },
        { transport: 'udp', serves: 'stream', host: '::', port: 53, tls: false, from: 'route' },
      ],
      workers: [{ index: 0, state: 'running', revision, connections: 12, restarts: 1, wire: 'portable' }],
      connections: { active: 12, accepted: 3456 },
    }),
  }
}
