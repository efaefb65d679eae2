/**
 * Runs every check of the project, fast ones first: types, style, architecture, unit, contract, integration, compat.
 * A part that fails does not stop the later ones. Ends with the test runner's own summary, then what was skipped and why.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'

const root = path.resolve(import.meta.dirname, '../..')
/** A file that takes longer has lost a socket or a process and would wait for ever. */
const fileTimeoutMs = 300_000

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

interface Skipped {
  readonly file: string
  readonly name: string
  readonly reason: string
}

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

/** Runs the files in that order, a few at a time; resolves with whether all passed. */
async function runFiles(files: string[], concurrency: number): Promise<{ passed: boolean; skipped: Skipped[] }> {
  const skipped: Skipped[] = []
  let passed = true
  // A file whose set-up failed may leave servers behind that keep it alive: it ends with its last test all the same.
  const execArgv = [...process.execArgv, '--test-force-exit']
  const events = run({ files, concurrency, timeout: fileTimeoutMs, cwd: root, execArgv })
  events.on('test:fail', (event) => {
    // A test that is marked as to do may fail.
    if (event.todo === undefined) passed = false
  })
  events.on('test:pass', ({ skip, name, file = '' }) => {
    if (skip === undefined || skip === false) return
    skipped.push({ file: path.relative(root, file), name, reason: typeof skip === 'string' ? skip : 'no reason given' })
  })
  for await (const text of events.compose(new spec())) process.stdout.write(text)
  return { passed, skipped }
}

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string', multiple: true }, concurrency: { type: 'string' } },
  })
  const parts: string[] = [...Object.keys(checks), ...Object.keys(suites)]
  const only = values.only?.flatMap((list) => list.split(','))
  const unknown = only?.find((name) => !parts.includes(name))
  if (unknown !== undefined) throw new Error(`--only ${unknown}: expected one of ${parts.join(', ')}`)
  const wanted = positionals.length > 0 ? [] : (only ?? parts)

  const failed: string[] = []
  for (const check of Object.keys(checks) as Check[]) if (wanted.includes(check) && !passes(check)) failed.push(check)

  const files = positionals.flatMap(filesOf)
  for (const suite of Object.keys(suites) as Suite[]) {
    if (wanted.includes(suite)) files.push(...globSync(path.join(root, suites[suite])).sort())
  }
  if (files.length > 0) {
    // Two even on one core: most integration tests wait for other programs.
    const concurrency = Number(values.concurrency ?? Math.max(2, availableParallelism()))
    const { passed, skipped } = await runFiles(files, concurrency)
    if (!passed) failed.push('tests')
    process.stdout.write(`\nskipped tests: ${skipped.length}\n`)
    for (const { file, name, reason } of skipped) process.stdout.write(`  ${file}: ${name} # ${reason}\n`)
  }
  if (failed.length > 0) process.stdout.write(`\nfailed: ${failed.join(', ')}\n`)
  return failed.length === 0
}

try {
  process.exitCode = (await main()) ? 0 : 1
} catch (error) {
  process.stderr.write(`run-tests: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 2
}
