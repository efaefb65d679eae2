/** A real nginx in the foreground with a configuration of the caller's, for comparisons: one worker, its own directory. */
import { existsSync, writeFileSync } from 'node:fs'
import { accepts, findProgram, makeDir, needs, type Running, start } from './program.ts'

/** What to give to `test` as its `skip`. */
export const nginxMissing = (): string | false => needs('nginx')

export interface NginxOptions {
  /** What stands in the `stream` block; without it there is none. */
  readonly stream?: string
  /** The same of the `http` block. Relative paths start from the server's own directory, which is gone when it has stopped. */
  readonly http?: string
  /** A TCP port that it listens on, by which it is known to be up. */
  readonly port: number
  readonly workerConnections?: number
  /** A processor to pin it to. */
  readonly cpu?: number
}

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

export async function startNginx(options: NginxOptions): Promise<Running> {
  const { stream, http, port, workerConnections = 20_000, cpu } = options
  const dir = makeDir(undefined)
  const conf = [
    // Debian builds the stream part as a module; elsewhere it is inside.
    stream !== undefined && existsSync(streamModule) ? `load_module ${streamModule};` : '',
    process.getuid?.() === 0 ? 'user root;' : '',
    'daemon off;',
    'worker_processes 1;',
    'worker_rlimit_nofile 20000;',
    `pid ${dir}/nginx.pid;`,
    'error_log stderr warn;',
    `events { worker_connections ${workerConnections}; }`,
    stream === undefined ? '' : `stream {\n${stream}\n}`,
    http === undefined ? '' : `http {\n${http}\n}`,
  ]
  writeFileSync(`${dir}/nginx.conf`, `${conf.join('\n')}\n`)
  const args = ['-p', dir, '-c', `${dir}/nginx.conf`, '-e', 'stderr']
  return start({ program: findProgram('nginx')!, args, port, dir, cpu, answers: () => accepts(port) })
}
