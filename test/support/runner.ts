/**
 * Runs every check of the project, fast ones first: types, style, architecture, unit, contract, integration, compat.
 * A part that fails does not stop the later ones. Ends with the test runner's own summary, then what was skipped and why.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runUnderNode } from './older-node.ts'
import { root } from './source-tree.ts'
import { runTests } from './test-runs.ts'

const checks = {
  types: ['node_modules/typescript/bin/tsc', '--noEmit'],
  style: ['node_modules/@biomejs/biome/bin/biome', 'check'],
} as const
const suites = {
  architecture: 'test/architecture.test.ts',
  unit: 'test/unit/**/*.test.ts',
  contract: 'test/contract/**/*.test.ts',
  integration: 'test/integration/**/*.test.ts',
  compat: 'test/compat/**/*.test.ts',
} as const
type Check = keyof typeof checks
type Suite = keyof typeof suites

function passes(check: Check): boolean {
  const [file, ...args] = checks[check]
  process.stdout.write(`▶ ${check}\n`)
  const started = performance.now()
  const { status } = spawnSync(process.execPath, [path.join(root, file), ...args], { cwd: root, stdio: 'inherit' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${status === 0 ? '✔' : '✖'} ${check} (${seconds} s)\n`)
  return status === 0
}

/** The test files of a path: itself, or all below it. */
function filesOf(given: string): string[] {
  const absolute = path.resolve(given)
  if (!existsSync(absolute)) throw new Error(`no such file: ${given}`)
  return statSync(absolute).isDirectory() ? globSync(`${absolute}/**/*.test.ts`).sort() : [absolute]
}

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true },
      wire: { type: 'string', multiple: true },
      concurrency: { type: 'string' },
      node: { type: 'string' },
    },
  })
  if (values.node !== undefined) return elsewhere(values.node)
  const parts: string[] = [...Object.keys(checks), ...Object.keys(suites)]
  const only = values.only?.flatMap((list) => list.split(','))
  const unknown = only?.find((name) => !parts.includes(name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: expected one of ${parts.join(', ')}`)
  const wanted = only ?? (positionals.length > 0 ? [] : parts)
  const named = values.wire ?? [process.env['SLUICE_TEST_WIRE']].filter((name) => name !== undefined)

  const failed: string[] = []
  for (const check of Object.keys(checks) as Check[]) if (wanted.includes(check) && !passes(check)) failed.push(check)

  const files = positionals.flatMap(filesOf)
  for (const suite of Object.keys(suites) as Suite[]) {
    if (wanted.includes(suite)) files.push(...globSync(path.join(root, suites[suite])).sort())
  }
  if (files.length > 0) {
    // Two even on one core: most integration tests wait for other programs.
    const concurrency = Number(values.concurrency ?? Math.max(2, availableParallelism()))
    // Not before: it loads sources, which may be too broken for that.
    const { runsOnWires, wiresNamed } = await import('./wire-runs.ts')
    const kinds = wiresNamed(named.flatMap((list) => list.split(',')))
    const planned = runsOnWires(files, kinds)
    const outcome = await runTests(planned.runs, concurrency)
    if (!outcome.passed) failed.push('tests')
    const skipped = [...outcome.skipped, ...planned.skipped]
    process.stdout.write(`\nskipped tests: ${skipped.length}\n`)
    for (const { file, name, reason } of skipped) {
      process.stdout.write(`  ${path.relative(root, path.resolve(root, file))}: ${name} # ${reason}\n`)
    }
  }
  if (failed.length > 0) process.stdout.write(`\nfailed: ${failed.join(', ')}\n`)
  return failed.length === 0
}

/** The same arguments, but for `--node` itself, under another Node. */
async function elsewhere(version: string): Promise<boolean> {
  const args = process.argv.slice(2)
  const at = args.findIndex((arg) => arg.startsWith('--node'))
  args.splice(at, args[at] === '--node' ? 2 : 1)
  process.stdout.write(`▶ under Node ${version}, without the packaged one\n`)
  const status = await runUnderNode(Number(version), args)
  if (status === undefined) process.stdout.write(`skipped: under Node ${version} # it cannot be had from npm\n`)
  return status === undefined || status === 0
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  process.stderr.write(`run-tests: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 2
}
