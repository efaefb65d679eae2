/** A program that runs another where io_uring is forbidden, compiled when it is first asked for. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { needs } from './servers/program.ts'
import { root } from './source-tree.ts'

export type Prefix = readonly [program: string, errno: string]

/**
 * What to put in front of a command so that io_uring's calls fail with that errno; or why that cannot be had here, for `skip`.
 * `folder` is where it is compiled to.
 */
export function withoutIoUring(
  folder: string,
  errno: number,
): { prefix: Prefix; missing: false } | { missing: string } {
  const missing = process.platform === 'linux' ? needs('gcc') : 'needs Linux'
  if (missing !== false) return { missing }
  const program = path.join(folder, 'without-io-uring')
  const source = path.join(root, 'test/fixtures/without-io-uring.c')
  const compiled = spawnSync('gcc', ['-Wall', '-Werror', '-o', program, source], { encoding: 'utf8' })
  if (compiled.status !== 0) return { missing: `needs a gcc that compiles: ${compiled.stderr.trim().split('\n')[0]}` }
  const tried = spawnSync(program, [String(errno), 'true'], { encoding: 'utf8' })
  if (tried.status !== 0) return { missing: `needs seccomp filters: ${tried.stderr.trim()}` }
  return { prefix: [program, String(errno)], missing: false }
}
