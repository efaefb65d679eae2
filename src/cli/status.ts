/** `sluice status`: what the running instance says of itself, aligned for people or as JSON. */
import type { GatewayStatus } from '../gateway.ts'
import { type Context, notRunning, ok } from './command.ts'
import { connect, type Identity } from './control-socket.ts'

const answerTimeoutMs = 10_000

export async function status({ files, json, say }: Context): Promise<number> {
  const control = await connect(files)
  if (control === undefined) {
    say(json ? JSON.stringify({ running: false }) : 'Sluice is not running')
    return notRunning
  }
  try {
    const identity = (await control.ask('identity', answerTimeoutMs)) as Identity
    if (identity.state === 'starting') {
      say(json ? JSON.stringify({ running: true, ...identity }) : `Sluice is starting (pid ${identity.pid})`)
      return ok
    }
    const found = (await control.ask('status', answerTimeoutMs)) as GatewayStatus
    say(json ? JSON.stringify({ running: true, ...identity, ...found }, undefined, 2) : describe(identity, found))
    return ok
  } finally {
    control.close()
  }
}

/** The lines for people. */
export function describe(identity: Identity, found: GatewayStatus): string {
  const { config, connections } = found
  const reach = config.reachable ? 'reachable' : 'NOT reachable'
  const facts = [
    ['pid', String(found.pid)],
    ['uptime', `${duration(found.uptimeSeconds)} (since ${found.startedAt})`],
    ['node', found.node],
    ['wire', [found.wire, ...found.passedOver.map(({ name, reason }) => `not ${name}: ${reason}`)].join('; ')],
    ['config', config.file],
    ['provider', `${config.provider}, ${reach}, revision ${config.revision}, ${config.rejected} rejected`],
    ['connections', `${connections.active} active, ${connections.accepted} accepted`],
  ]
  const listeners = found.listeners.map(({ transport, serves, host, port, tls, from }) => [
    serves === 'http' ? 'http' : transport,
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    tls ? 'tls' : '',
    `from ${from}`,
  ])
  const workers = found.workers.map(({ index, state, revision, connections: open, restarts, wire }) => [
    String(index),
    state,
    `revision ${revision}`,
    `${open} connections`,
    `${restarts} restarts`,
    wire === undefined || wire === found.wire ? '' : `on ${wire}`,
  ])
  const verb = identity.state === 'stopping' ? 'is stopping' : 'is running'
  const lines = [`Sluice ${found.version} ${verb}`, ...table(facts)]
  lines.push('listeners', ...(listeners.length > 0 ? table(listeners) : ['  none']), 'workers', ...table(workers))
  return lines.join('\n')
}

/** Rows with their columns under each other, indented by two. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  }
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd())
}

function duration(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  return parts
    .slice(first === -1 ? parts.length - 1 : first)
    .slice(0, 2)
    .map(([count, unit]) => `${count}${unit}`)
    .join(' ')
}
