/** The contenders for TCP and UDP: each with one port of either to the same echo servers, where it carries it. */
import { haproxyMissing, startHaproxy } from '../../test/support/servers/haproxy.ts'
import { nginxMissing, startNginx } from '../../test/support/servers/nginx.ts'
import { freePort, type Running } from '../../test/support/servers/program.ts'
import { type Choice, type Contender, type Entrant, type Ports, sluiceName } from './contenders.ts'
import { startSluice } from './sluice.ts'

export interface StreamBackends {
  readonly tcp: number
  readonly udp: number
  /** The processor that proxies are pinned to. */
  readonly cpu: number
}

type Start = (env?: Readonly<Record<string, string>>) => Promise<Contender>

/** In the order of the tables. */
export function streamEntrants(backends: StreamBackends, { names, wires }: Choice): readonly Entrant[] {
  const entrant = (name: string, start: Start): Entrant => ({ name, start })
  return [
    ...(names.includes('direct') ? [entrant('direct', direct(backends))] : []),
    ...(names.includes('sluice') ? wires.map((wire) => entrant(sluiceName(wire), sluice(backends, wire))) : []),
    ...(names.includes('nginx') ? [entrant('nginx', nginx(backends))] : []),
    ...(names.includes('haproxy') ? [entrant('haproxy', haproxy(backends))] : []),
  ]
}

const direct =
  ({ tcp, udp }: StreamBackends): Start =>
  async () => ({ name: 'direct', ports: { tcp, udp }, paths: [], pid: undefined, stop: async () => {} })

const sluice =
  (backends: StreamBackends, wire: string): Start =>
  async (env) => {
    const [tcp, udp] = [await freePort(), await freePort()]
    const apisix = {
      proxy_mode: 'stream',
      stream_proxy: { tcp: [`127.0.0.1:${tcp}`], udp: [`127.0.0.1:${udp}`] },
    }
    const running = await startSluice({ wire, cpu: backends.cpu, apisix, port: tcp, env })
    try {
      for (const [id, listen, backend] of [
        ['tcp', tcp, backends.tcp],
        ['udp', udp, backends.udp],
      ] as const) {
        const nodes = { [`127.0.0.1:${backend}`]: 1 }
        await running.put(`upstreams/${id}`, { nodes, timeout: { connect: 5, send: 600, read: 600 } })
        await running.put(`stream_routes/${id}`, { server_port: listen, upstream_id: id })
      }
    } catch (error) {
      await running.stop()
      throw error
    }
    return contender(sluiceName(wire), running, { tcp, udp })
  }

const nginx = (backends: StreamBackends) => async (): Promise<Contender> => {
  const missing = nginxMissing()
  if (missing !== false) throw new Error(missing)
  const [tcp, udp] = [await freePort(), await freePort()]
  const stream = `
    access_log off;
    tcp_nodelay on;
    server { listen 127.0.0.1:${tcp} backlog=4096; proxy_pass 127.0.0.1:${backends.tcp}; proxy_timeout 10m; }
    server { listen 127.0.0.1:${udp} udp; proxy_pass 127.0.0.1:${backends.udp}; proxy_timeout 60s; }`
  return contender('nginx', await startNginx({ stream, port: tcp, cpu: backends.cpu }), { tcp, udp })
}

const haproxy = (backends: StreamBackends) => async (): Promise<Contender> => {
  const missing = haproxyMissing()
  if (missing !== false) throw new Error(missing)
  const tcp = await freePort()
  const sections = `listen bench\n  bind 127.0.0.1:${tcp} backlog 4096\n  server one 127.0.0.1:${backends.tcp}`
  return contender('haproxy', await startHaproxy({ sections, port: tcp, cpu: backends.cpu }), { tcp })
}

function contender(name: string, running: Running, ports: Ports): Contender {
  return { name, ports, paths: [], pid: running.pid, stop: () => running.stop() }
}
