/**
 * How soon a change by the Admin API is in force, on every worker, of a gateway that holds many stream routes; how long such
 * a gateway takes to start. Nothing else is measured here, and no other proxy takes part: they have no such interface.
 */
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { EmbeddedDatabase } from '../../src/config/embedded-database.ts'
import { namedServer } from '../../test/support/backends.ts'
import { freePort } from '../../test/support/free-port.ts'
import { startTestGateway, type TestGateway } from '../../test/support/gateway.ts'

export interface ChangeLatencyOptions {
  readonly routes: number
  readonly changes: number
  readonly workers: number
}

/** Connections opened at once: with these, all of two workers are hit but for one round in 2^15. */
const probes = 16
const portCount = 4

/** Rows of a table in Markdown, and lines before it. */
export async function changeLatency({ routes, changes, workers }: ChangeLatencyOptions): Promise<string> {
  const ports = await Promise.all(Array.from({ length: portCount }, () => freePort()))
  const backends = [await namedServer('even'), await namedServer('odd')] as const
  const gateway = await startTestGateway({
    workers,
    startMs: 120_000,
    config: {
      apisix: { stream_proxy: { tcp: ports.map((port) => `127.0.0.1:${port}`) } },
      sluice: { extra_plugins: [fileURLToPath(new URL('../../test/fixtures/throwing-plugin.ts', import.meta.url))] },
    },
  })
  try {
    const empty = await startMs(gateway, () => {})
    const full = await startMs(gateway, () => store(gateway.home, routes, ports, backends[0].port))
    const front = ports[0] as number
    const nodeOf = (turn: number) => ({ nodes: { [backends[turn % 2 === 0 ? 0 : 1].node]: 1 } })
    await put(gateway, '/upstreams/shared', nodeOf(0))
    await put(gateway, '/stream_routes/shared', { server_port: front, remote_addr: '127.0.0.2', upstream_id: 'shared' })
    const lines = [
      `${routes} stream routes on ${portCount} ports, ${workers} workers, ${changes} changes of each kind`,
      `start: ${empty.toFixed(0)} ms empty, ${full.toFixed(0)} ms with all routes`,
      '',
      '| change | Admin API answers, ms p50 | p99 | max | then all of 16 connections see it, ms p50 | p99 | max | at once |',
      '|---|---|---|---|---|---|---|---|',
    ]
    const kinds: [string, string, (turn: number) => object, string][] = [
      [
        'the route',
        '/stream_routes/live-0',
        (turn) => ({ server_port: front, remote_addr: '127.0.0.1', upstream: nodeOf(turn) }),
        '127.0.0.1',
      ],
      ['an upstream', '/upstreams/shared', nodeOf, '127.0.0.2'],
    ]
    for (const [name, path, body, client] of kinds) {
      const taken = await measure(gateway, { path, body, front, client, changes })
      lines.push(row(name, taken))
    }
    const replaced = await replacementMs(gateway, front)
    lines.push(
      '',
      `a worker that breaks: all ${workers} serve again after ${replaced.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    )
    return lines.join('\n')
  } finally {
    await gateway.stop()
    await Promise.all(backends.map((backend) => backend.stop()))
  }
}

interface Taken {
  readonly answered: number[]
  readonly inForce: number[]
  /** Changes that were in force for connections opened as soon as the answer was there. */
  atOnce: number
}

interface Subject {
  readonly path: string
  readonly body: (turn: number) => object
  readonly front: number
  readonly client: string
  readonly changes: number
}

async function measure(gateway: TestGateway, { path, body, front, client, changes }: Subject): Promise<Taken> {
  const taken: Taken = { answered: [], inForce: [], atOnce: 0 }
  for (let turn = 1; turn <= changes; turn++) {
    const wanted = turn % 2 === 0 ? 'even' : 'odd'
    const asked = performance.now()
    await put(gateway, path, body(turn))
    const answered = performance.now()
    for (let round = 0; ; round++) {
      const opened = performance.now()
      const names = await Promise.all(Array.from({ length: probes }, () => nameAt(front, client)))
      if (!names.every((name) => name === wanted)) continue
      // What counts is when these connections were opened: what they took afterwards is no part of the change.
      taken.inForce.push(round === 0 ? 0 : opened - answered)
      if (round === 0) taken.atOnce++
      break
    }
    taken.answered.push(answered - asked)
  }
  return taken
}

function row(name: string, { answered, inForce, atOnce }: Taken): string {
  const figures = [answered, inForce].flatMap((list) => [0.5, 0.99, 1].map((part) => quantile(list, part).toFixed(1)))
  return `| ${[name, ...figures, `${atOnce} of ${answered.length}`].join(' | ')} |`
}

function quantile(list: readonly number[], part: number): number {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** Breaks a worker by a plugin that throws, a few times, and takes the time until as many as before serve. */
async function replacementMs(gateway: TestGateway, front: number): Promise<number[]> {
  const plugins = { 'throw-later': {} }
  await put(gateway, '/stream_routes/breaking', {
    server_port: front,
    remote_addr: '127.0.0.3',
    upstream_id: 'shared',
    plugins,
  })
  const taken: number[] = []
  for (let restarts = 1; restarts <= 3; restarts++) {
    await nameAt(front, '127.0.0.3')
    const from = performance.now()
    for (;;) {
      const { workers } = await gateway.status()
      if (workers.every((worker) => worker.state === 'running' && worker.restarts >= restarts)) break
    }
    taken.push(performance.now() - from)
  }
  return taken
}

/** Stops the gateway, does something to its home, and takes the time of its next start. */
async function startMs(gateway: TestGateway, between: () => void): Promise<number> {
  await gateway.kill('SIGKILL')
  between()
  const from = performance.now()
  await gateway.restart()
  return performance.now() - from
}

/** Writes routes straight into the database: ten thousand durable writes would take their time, and are not the subject. */
function store(home: string, routes: number, ports: readonly number[], backendPort: number): void {
  const file = join(home, 'data/sluice.db')
  mkdirSync(join(home, 'data'), { recursive: true })
  new EmbeddedDatabase({ file, history: 0 }).close()
  const db = new DatabaseSync(file)
  const insert = db.prepare(
    'INSERT INTO resource (kind, id, value, created, modified, expires) VALUES (?, ?, ?, ?, ?, NULL)',
  )
  db.exec('BEGIN')
  let revision = 0
  const add = (id: string, value: object): void => {
    revision++
    insert.run('stream_routes', id, JSON.stringify({ id, ...value }), revision, revision)
  }
  const upstream = { type: 'roundrobin', nodes: { [`127.0.0.1:${backendPort}`]: 1 } }
  for (let i = 0; i < routes; i++) {
    const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
    add(`r${i}`, { server_port: ports[i % ports.length], remote_addr: address, upstream })
  }
  for (const [i, port] of ports.entries()) add(`live-${i}`, { server_port: port, remote_addr: '127.0.0.1', upstream })
  db.prepare(`UPDATE counter SET value = ? WHERE name = 'revision'`).run(revision)
  db.exec('COMMIT')
  db.close()
}

async function put(gateway: TestGateway, path: string, body: object): Promise<void> {
  const { status, body: answer } = await gateway.admin('PUT', path, body)
  if (status >= 300) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(answer)}`)
}

/** The line that a backend says first; '' when the connection was closed without one. */
function nameAt(port: number, localAddress: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      text += part
      if (text.endsWith('\n')) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text.trimEnd()))
  })
}
