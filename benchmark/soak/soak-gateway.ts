/** The gateway of a soak: the real program with one worker on one wire, and a route for each kind of traffic. */
import { join } from 'node:path'
import { makeCa, makeCertificate } from '../../test/support/certificates.ts'
import { freePort } from '../../test/support/free-port.ts'
import { startTestGateway, type TestGateway } from '../../test/support/gateway.ts'
import { temporaryFolder } from '../../test/support/home.ts'

export interface SoakBackends {
  /** Ports of echo servers that nothing happens to. */
  readonly steady: readonly number[]
  readonly harmed: readonly number[]
  readonly udp: number
}

export interface SoakGateway {
  readonly gateway: TestGateway
  readonly ports: { readonly steady: number; readonly harmed: number; readonly tls: number; readonly udp: number }
  /** The authority that its certificate is by. */
  readonly ca: string
  /** Where the worker writes its figures. */
  readonly figures: string
  /** Puts the upstream that is harmed anew, with other weights. */
  change(turn: number): Promise<void>
  stop(): Promise<void>
}

const timeout = { connect: 2, send: 3, read: 3 }
const patient = { connect: 5, send: 600, read: 600 }

export async function startSoakGateway(wire: string, backends: SoakBackends): Promise<SoakGateway> {
  const [steady, harmed, tls, udp] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const ca = makeCa()
  const { cert, key } = makeCertificate({ ca, names: ['soak.test'] })
  const folder = temporaryFolder('sluice-soak')
  const figures = join(folder.path, 'worker.json')
  const steadyNodes = nodes(backends.steady)
  const at = (port: number): string => `127.0.0.1:${port}`
  const gateway = await startTestGateway({
    config: {
      apisix: {
        stream_proxy: { tcp: [at(steady), at(harmed), { addr: at(tls), tls: true }], udp: [at(udp)] },
      },
      nginx_config: { error_log_level: 'warn', event: { worker_connections: 19_000 } },
      sluice: {
        wire,
        udp_idle_timeout: '3s',
        extra_plugins: [join(import.meta.dirname, 'garbage-plugin.ts')],
      },
    },
    resources: {
      '/ssls/soak': { sni: 'soak.test', cert, key },
      '/stream_routes/steady': {
        server_port: steady,
        upstream: { nodes: steadyNodes, timeout: patient },
        plugins: { 'soak-garbage': { wire, file: figures } },
      },
      '/stream_routes/tls': { server_port: tls, upstream: { nodes: steadyNodes, timeout: patient } },
      '/stream_routes/udp': { server_port: udp, upstream: { scheme: 'udp', nodes: nodes([backends.udp]) } },
      '/upstreams/harmed': { nodes: nodes(backends.harmed), timeout, retries: 2 },
      '/stream_routes/harmed': { server_port: harmed, upstream_id: 'harmed' },
    },
  })
  return {
    gateway,
    ports: { steady, harmed, tls, udp },
    ca: ca.cert,
    figures,
    async change(turn) {
      const [first = 0, ...others] = backends.harmed
      const changed = { [`127.0.0.1:${first}`]: 1 + (turn % 5), ...nodes(turn % 3 === 0 ? others.slice(1) : others) }
      const { status } = await gateway.admin('PUT', '/upstreams/harmed', { nodes: changed, timeout, retries: 2 })
      if (status >= 300) throw new Error(`the upstream was refused with ${status}`)
    },
    async stop() {
      await gateway.stop()
      folder[Symbol.dispose]()
    },
  }
}

function nodes(ports: readonly number[]): Record<string, number> {
  return Object.fromEntries(ports.map((port) => [`127.0.0.1:${port}`, 1]))
}
