/** A real etcd of one member, in a directory of its own, which can be stopped and started again with what it holds. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, freePort, needs, type Running, removeDir, run, start } from './program.ts'

/** What to give to `test` as its `skip`. */
export const etcdMissing = (): string | false => needs('etcd', 'etcdctl')

export interface EtcdServerTls {
  readonly cert: string
  readonly key: string
  /** Given, clients need a certificate of this authority: etcdctl's is the pair after it. */
  readonly clientCa?: string
  readonly ctlCert?: string
  readonly ctlKey?: string
}

export interface EtcdServerOptions {
  /** Files of PEM; given, the client port speaks TLS. */
  readonly tls?: EtcdServerTls
}

export interface EtcdServer {
  readonly url: string
  /** etcdctl's output. The command and its arguments, without the endpoint. */
  ctl(...args: readonly string[]): Promise<string>
  /** Stops the process and keeps its data. */
  pause(): Promise<void>
  /** Starts it again on the same port; `fresh`: with nothing in it, as another cluster. */
  resume(options?: { fresh?: boolean }): Promise<void>
  /** Stops the process and removes its data. */
  stop(): Promise<void>
}

export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const scheme = options.tls === undefined ? 'http' : 'https'
  const [port, peerPort] = [await freePort(), await freePort()]
  const url = `${scheme}://127.0.0.1:${port}`
  const root = mkdtempSync(join(tmpdir(), 'sluice-etcd-'))
  let generation = 0
  let running: Running | undefined = await launch()

  async function launch(): Promise<Running> {
    // `start` removes the directory it is given when the process ends, so that is not the one with the data
    const dir = mkdtempSync(join(tmpdir(), 'sluice-etcd-run-'))
    const peer = `http://127.0.0.1:${peerPort}`
    const args = [
      ...['--name', 'one', '--data-dir', join(root, `data-${generation}`), '--logger', 'zap', '--log-level', 'error'],
      ...['--listen-client-urls', url, '--advertise-client-urls', url],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `one=${peer}`],
      ...['--initial-cluster-token', `generation-${generation}`],
      ...tlsArgs(options.tls),
    ]
    return start({ program: findProgram('etcd')!, args, port, dir, answers })
  }

  async function answers(): Promise<boolean> {
    await ctl('endpoint', 'health')
    return true
  }

  async function ctl(...args: readonly string[]): Promise<string> {
    const tls = options.tls === undefined ? [] : ['--insecure-skip-tls-verify', '--insecure-transport=false']
    const { ctlCert, ctlKey } = options.tls ?? {}
    const own = ctlCert === undefined || ctlKey === undefined ? [] : ['--cert', ctlCert, '--key', ctlKey]
    const { stdout } = await run(findProgram('etcdctl')!, ['--endpoints', url, ...tls, ...own, ...args], {
      env: { ETCDCTL_API: '3' },
      ms: 10_000,
    })
    return stdout
  }

  async function pause(): Promise<void> {
    await running?.stop()
    running = undefined
  }

  return {
    url,
    ctl,
    pause,
    async resume({ fresh = false } = {}) {
      if (fresh) generation++
      running ??= await launch()
    },
    async stop() {
      await pause()
      removeDir(root)
    },
  }
}

function tlsArgs(tls: EtcdServerOptions['tls']): string[] {
  if (tls === undefined) return []
  const clients = tls.clientCa === undefined ? [] : ['--trusted-ca-file', tls.clientCa, '--client-cert-auth']
  return ['--cert-file', tls.cert, '--key-file', tls.key, ...clients]
}
