/** Several Redis servers that belong together: a cluster, or a master with sentinels. In memory only, on 127.0.0.1. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../until.ts'
import { findProgram, freePort, makeDir, type Running, start } from './program.ts'
import { redisCommand } from './redis.ts'

export interface RedisSet {
  readonly servers: readonly Running[]
  /** Of those that clients are told of. */
  readonly ports: readonly number[]
  stop(): Promise<void>
}

/** One server with arguments of its own: `--requirepass`, `--cluster-enabled`. On that port if one is given. */
export async function startRedisWith(args: readonly string[] = [], port?: number): Promise<Running> {
  const dir = makeDir(undefined)
  const own = port ?? (await freePort())
  const common = ['--port', String(own), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir]
  const answers = async (): Promise<boolean> => /^(\+PONG|-NOAUTH)/.test(await redisCommand(own, 'PING'))
  return start({ program: findProgram('redis-server')!, args: [...common, ...args], port: own, dir, answers })
}

/** A cluster of so many masters, each with its part of the slots. */
export async function startRedisCluster(masters: number): Promise<RedisSet> {
  const servers: Running[] = []
  const buses: number[] = []
  for (let at = 0; at < masters; at += 1) {
    const bus = await freePort()
    buses.push(bus)
    servers.push(await startRedisWith(['--cluster-enabled', 'yes', '--cluster-port', String(bus)]))
  }
  const ports = servers.map(({ port }) => port)
  for (const [at, port] of ports.entries()) {
    const [from, to] = [Math.floor((at * 16_384) / masters), Math.floor(((at + 1) * 16_384) / masters) - 1]
    await redisCommand(port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    if (at > 0) await redisCommand(ports[0]!, 'CLUSTER', 'MEET', '127.0.0.1', String(port), String(buses[at]))
  }
  const whole = async (port: number): Promise<boolean> =>
    (await redisCommand(port, 'CLUSTER', 'INFO')).includes('cluster_state:ok')
  for (const port of ports) await until(() => whole(port), { ms: 30_000, what: 'a whole cluster' })
  return { servers, ports, stop: () => stopAll(servers) }
}

/** A master, a replica, and so many sentinels that watch over the master under the name `limits`. */
export async function startRedisSentinels(sentinels: number): Promise<RedisSet & { readonly master: Running }> {
  const master = await startRedisWith()
  const replica = await startRedisWith(['--replicaof', '127.0.0.1', String(master.port)])
  const linked = async (): Promise<boolean> =>
    (await redisCommand(replica.port, 'INFO', 'replication')).includes('master_link_status:up')
  await until(linked, { ms: 30_000, what: 'a replica' })
  const servers: Running[] = []
  for (let at = 0; at < sentinels; at += 1) servers.push(await startSentinel(master.port))
  const all = [...servers, replica, master]
  const ports = servers.map(({ port }) => port)
  const known = async (port: number): Promise<boolean> =>
    (await redisCommand(port, 'INFO', 'sentinel')).includes(`slaves=1,sentinels=${sentinels}`)
  for (const port of ports) await until(() => known(port), { ms: 30_000, what: 'sentinels that know each other' })
  return { servers: all, ports, master, stop: () => stopAll(all) }
}

async function startSentinel(masterPort: number): Promise<Running> {
  const dir = makeDir(undefined)
  const port = await freePort()
  const file = join(dir, 'sentinel.conf')
  const lines = [
    ...[`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, `sentinel monitor limits 127.0.0.1 ${masterPort} 1`],
    ...['sentinel down-after-milliseconds limits 500', 'sentinel failover-timeout limits 5000'],
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const answers = async (): Promise<boolean> => (await redisCommand(port, 'PING')) === '+PONG'
  return start({ program: findProgram('redis-server')!, args: [file, '--sentinel'], port, dir, answers })
}

async function stopAll(servers: readonly Running[]): Promise<void> {
  for (const server of servers) await server.stop()
}
