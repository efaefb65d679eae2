/**
 * The checks of a checkout where the packaged Node is not installed and the system's is an older one: a copy of the checkout
 * without the package, run under that Node. What runs there is for the caller.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { temporaryFolder } from './home.ts'
import { nodeOfMajor } from './node-versions.ts'
import { root } from './source-tree.ts'

/** What is not part of the sources, at the top of a checkout. */
const left = ['node_modules', '.git', 'dist', 'logs', 'data']

/** Runs `run-tests args…` there. Resolves with its exit status; undefined when there is no such Node to be had. */
export async function runUnderNode(major: number, args: readonly string[]): Promise<number | undefined> {
  const node = await nodeOfMajor(major)
  if (node === undefined) return undefined
  using folder = temporaryFolder(`sluice-node-${major}`)
  copyCheckout(folder.path)
  // A program that is started as its user would is found under that Node as well.
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env['PATH']}` }
  const { status } = spawnSync(node, [path.join(folder.path, 'bin/run-tests'), ...args], {
    cwd: folder.path,
    stdio: 'inherit',
    env,
  })
  return status ?? 1
}

/** Sources are copied, since a link would be resolved to where the packaged Node is; packages are links. */
function copyCheckout(to: string): void {
  for (const name of readdirSync(root)) {
    if (!left.includes(name)) cpSync(path.join(root, name), path.join(to, name), { recursive: true })
  }
  const { optionalDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const modules = path.join(root, 'node_modules')
  mkdirSync(path.join(to, 'node_modules'))
  for (const name of readdirSync(modules)) {
    if (name.startsWith('.') || name in optionalDependencies) continue
    symlinkSync(path.join(modules, name), path.join(to, 'node_modules', name))
  }
  const isNode = (file: string): boolean => path.basename(file) === 'node'
  cpSync(path.join(modules, '.bin'), path.join(to, 'node_modules', '.bin'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => !isNode(file),
  })
}
