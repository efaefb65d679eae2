/** A real Redis in memory only, its own benchmark as the load, and a client of one command to look inside. */
import { connect } from 'node:net'
import { findProgram, freePort, makeDir, needs, type Running, run, start } from './program.ts'

/** What to give to `test` as its `skip`. */
export const redisMissing = (): string | false => needs('redis-server', 'redis-benchmark')

export async function startRedis(): Promise<Running> {
  const dir = makeDir(undefined)
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir]
  const answers = async (): Promise<boolean> => (await redisCommand(port, 'PING')) === '+PONG'
  return start({ program: findProgram('redis-server')!, args, port, dir, answers })
}

/** The whole reply to one command, undecoded, without its last line end. */
export function redisCommand(port: number, ...words: readonly string[]): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1')
    let reply = ''
    socket.setEncoding('utf8').setTimeout(10_000, () => socket.destroy(new Error('no reply from Redis')))
    socket.on('data', (text: string) => {
      reply += text
      const value = wholeReply(reply)
      if (value === undefined) return
      socket.destroy()
      done(value)
    })
    socket.once('error', fail)
    socket.once('close', () => fail(new Error('Redis closed the connection')))
    const command = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')
    socket.write(`*${words.length}\r\n${command}`)
  })
}

/** The value of a reply that has arrived in full. A bulk reply names its length first; the others used here are one line. */
function wholeReply(reply: string): string | undefined {
  if (!reply.endsWith('\r\n')) return undefined
  if (!reply.startsWith('$')) return reply.slice(0, -2)
  const start = reply.indexOf('\r\n') + 2
  const length = Number(reply.slice(1, start - 2))
  return reply.length >= start + length + 2 ? reply.slice(start, start + length) : undefined
}

/** Connections that a Redis has accepted since it started. */
export async function redisConnections(port: number): Promise<number> {
  const stats = await redisCommand(port, 'INFO', 'stats')
  return Number(/total_connections_received:(\d+)/.exec(stats)?.[1] ?? Number.NaN)
}

export interface RedisBenchmarkOptions {
  readonly requests: number
  readonly clients: number
  readonly pipeline?: number
  readonly bytes?: number
}

/** Requests a second by test name, as redis-benchmark measured them; rejects on an error reply or a lost connection. */
export async function redisBenchmark(
  port: number,
  options: RedisBenchmarkOptions,
): Promise<ReadonlyMap<string, number>> {
  const { requests, clients, pipeline = 1, bytes = 100 } = options
  const size = ['-n', String(requests), '-c', String(clients), '-P', String(pipeline), '-d', String(bytes)]
  const args = ['-h', '127.0.0.1', '-p', String(port), '-t', 'set,get,incr', '--csv', '-e', ...size]
  const { stdout } = await run(findProgram('redis-benchmark')!, args)
  const rows = stdout.matchAll(/^"(\w+)[^"]*","([\d.]+)"/gm)
  return new Map(Array.from(rows, ([, name, rate]) => [name!, Number(rate)]))
}
