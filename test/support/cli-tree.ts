/** A copy of the command line in a folder of its own, with the fake gateway behind it: what the launcher takes for a checkout. */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { FakeConf } from './fake-gateway.ts'
import { temporaryFolder } from './home.ts'
import { type Outcome, type Program, type ProgramOptions, startProgram } from './program.ts'
import { root } from './source-tree.ts'

export interface CliTree extends Disposable {
  readonly path: string
  /** The launcher. */
  readonly bin: string
  /** A home inside of it. */
  readonly home: string
  configure(conf: FakeConf, file?: string): void
  /** Runs `sluice args… --home <home>` (unless the arguments name another) to its end under the Node of this test. */
  run(...args: string[]): Promise<Outcome>
  /** Starts it and does not wait. */
  start(args: readonly string[], options?: ProgramOptions): Program
}

export function cliTree({ modules = true }: { modules?: boolean } = {}): CliTree {
  const folder = temporaryFolder('sluice-cli')
  const tree = folder.path
  for (const part of ['bin', 'src/cli', 'src/base', 'src/config', 'package.json']) {
    cpSync(path.join(root, part), path.join(tree, part), { recursive: true })
  }
  cpSync(path.join(root, 'test/support/fake-gateway.ts'), path.join(tree, 'src/gateway.ts'))
  mkdirSync(path.join(tree, 'conf'))
  writeFileSync(path.join(tree, 'conf/config.default.yaml'), '{}')
  if (modules) symlinkSync(path.join(root, 'node_modules'), path.join(tree, 'node_modules'))
  const bin = path.join(tree, 'bin/sluice')
  const home = path.join(tree, 'home')
  const programs: Program[] = []
  const start = (args: readonly string[], options?: ProgramOptions): Program => {
    const whole = args.includes('--home') ? args : [...args, '--home', home]
    const program = startProgram(process.execPath, [bin, ...whole], options)
    programs.push(program)
    return program
  }
  return {
    path: tree,
    bin,
    home,
    configure: (conf, file = path.join(home, 'conf/config.yaml')) => {
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, JSON.stringify(conf))
    },
    run: (...args) => start(args).ended,
    start,
    [Symbol.dispose]: () => {
      for (const { process: child } of programs) child.kill('SIGKILL')
      killDaemon(home, tree)
      folder[Symbol.dispose]()
    },
  }
}

/** What a failed test left in the background; only if it really runs from that tree. */
function killDaemon(home: string, tree: string): void {
  const file = path.join(home, 'logs/nginx.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8'))
  const cmdline = `/proc/${pid}/cmdline`
  if (existsSync(cmdline) && readFileSync(cmdline, 'utf8').includes(tree)) process.kill(pid, 'SIGKILL')
}
