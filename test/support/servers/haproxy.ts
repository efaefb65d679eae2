/** A real HAProxy in the foreground with one thread, for comparisons over TCP. */
import { writeFileSync } from 'node:fs'
import { accepts, findProgram, makeDir, needs, type Running, start } from './program.ts'

/** What to give to `test` as its `skip`. */
export const haproxyMissing = (): string | false => needs('haproxy')

export interface HaproxyOptions {
  /** `listen` sections, after the defaults for plain TCP. */
  readonly sections: string
  /** A port that it listens on, by which it is known to be up. */
  readonly port: number
  readonly maxConnections?: number
  /** A processor to pin it to. */
  readonly cpu?: number
}

export async function startHaproxy({ sections, port, maxConnections = 9500, cpu }: HaproxyOptions): Promise<Running> {
  const dir = makeDir(undefined)
  const conf = `global
  nbthread 1
  maxconn ${maxConnections}
defaults
  mode tcp
  maxconn ${maxConnections}
  timeout connect 5s
  timeout client 10m
  timeout server 10m
${sections}
`
  writeFileSync(`${dir}/haproxy.cfg`, conf)
  const args = ['-db', '-f', `${dir}/haproxy.cfg`]
  return start({ program: findProgram('haproxy')!, args, port, dir, cpu, answers: () => accepts(port) })
}
