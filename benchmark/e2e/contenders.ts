/** Who is compared: nobody in between, Sluice, nginx, HAProxy; each with one TCP and (where it can) one UDP port to the same backends. */

import { haproxyMissing, startHaproxy } from '../../test/support/servers/haproxy.ts'
import { nginxMissing, startNginx } from '../../test/support/servers/nginx.ts'
import { freePort, type Running } from '../../test/support/servers/program.ts'
import { startSluice } from './sluice.ts'

export interface Contender {
  readonly name: string
  readonly tcpPort: number
  /** Undefined when it does not carry UDP. */
  readonly udpPort: number | undefined
  /** The process whose cost counts; undefined for the direct way. */
  readonly pid: number | undefined
  stop(): Promise<void>
}

export interface Bench {
  readonly tcpBackend: number
  readonly udpBackend: number
  /** The processor that proxies are pinned to. */
  readonly cpu: number
  readonly wire: string
  readonly say: (line: string) => void
}

export type Start = (bench: Bench) => Promise<Contender>

/** Those that can run here, in the order of the tables; the missing are named. */
export function contenders(say: (line: string) => void): ReadonlyMap<string, Start> {
  const found = new Map<string, Start>([
    ['direct', direct],
    ['sluice', sluice],
  ])
  const peers = { nginx: [nginxMissing(), nginx], haproxy: [haproxyMissing(), haproxy] } as const
  for (const [name, [missing, start]] of Object.entries(peers)) {
    if (missing === false) found.set(name, start)
    else say(`skipped: ${name} (${missing})`)
  }
  return found
}

async function direct(bench: Bench): Promise<Contender> {
  return { name: 'direct', tcpPort: bench.tcpBackend, udpPort: bench.udpBackend, pid: undefined, stop: async () => {} }
}

async function sluice(bench: Bench): Promise<Contender> {
  const [tcp, udp] = [await freePort(), await freePort()]
  const running = await startSluice({
    tcp: { listen: tcp, backend: bench.tcpBackend },
    udp: { listen: udp, backend: bench.udpBackend },
    wire: bench.wire,
    cpu: bench.cpu,
  })
  return contender('sluice', running, tcp, udp)
}

async function nginx(bench: Bench): Promise<Contender> {
  const [tcp, udp] = [await freePort(), await freePort()]
  const stream = `
    access_log off;
    tcp_nodelay on;
    server { listen 127.0.0.1:${tcp} backlog=4096; proxy_pass 127.0.0.1:${bench.tcpBackend}; proxy_timeout 10m; }
    server { listen 127.0.0.1:${udp} udp; proxy_pass 127.0.0.1:${bench.udpBackend}; proxy_timeout 60s; }`
  return contender('nginx', await startNginx({ stream, port: tcp, cpu: bench.cpu }), tcp, udp)
}

async function haproxy(bench: Bench): Promise<Contender> {
  const tcp = await freePort()
  const sections = `listen bench\n  bind 127.0.0.1:${tcp} backlog 4096\n  server one 127.0.0.1:${bench.tcpBackend}`
  return contender('haproxy', await startHaproxy({ sections, port: tcp, cpu: bench.cpu }), tcp, undefined)
}

function contender(name: string, running: Running, tcpPort: number, udpPort: number | undefined): Contender {
  return { name, tcpPort, udpPort, pid: running.pid, stop: () => running.stop() }
}
