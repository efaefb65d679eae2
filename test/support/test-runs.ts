/**
 * Runs test files, a few at a time, each in a process of its own, and prints what they say as one report. Which files run, and
 * in what environment, is for the caller.
 */
import { Readable } from 'node:stream'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

export interface TestRun {
  readonly file: string
  /** Put in front of the names of its tests, where one file runs more than once. */
  readonly label?: string
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
}

export interface SkippedTest {
  readonly file: string
  readonly name: string
  readonly reason: string
}

export interface Outcome {
  readonly passed: boolean
  readonly skipped: readonly SkippedTest[]
}

/** As the test runner tells them; only what is used here. */
interface Event {
  readonly type: string
  readonly data: {
    readonly name?: string
    readonly file?: string
    readonly nesting?: number
    readonly message?: string
    readonly skip?: string | boolean
    readonly todo?: string | boolean
    readonly counts?: Readonly<Record<string, number>>
  }
}

/** A file that takes longer has lost a socket or a process and would wait for ever. */
const fileTimeoutMs = 300_000
/** What the test runner says at the end of each run, and what its counts are called. */
const totals = {
  tests: 'tests',
  suites: 'suites',
  pass: 'passed',
  fail: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
  todo: 'todo',
} as const
const isTotal = new RegExp(`^(${Object.keys(totals).join('|')}|duration_ms) [\\d.]+$`)

/** Starts the runs in their order. Resolves when all have ended and been reported. */
export async function runTests(runs: readonly TestRun[], concurrency: number): Promise<Outcome> {
  const started = performance.now()
  const counts: Record<string, number> = {}
  const skipped: SkippedTest[] = []
  let passed = true

  const heed = ({ type, data }: Event): void => {
    const { name = '', file = '', skip, todo } = data
    // A test that is marked as to do may fail.
    if (type === 'test:fail' && todo === undefined) passed = false
    if (type === 'test:pass' && skip !== undefined && skip !== false) {
      skipped.push({ file, name, reason: typeof skip === 'string' ? skip : 'no reason given' })
    }
    if (type !== 'test:summary' || data.file !== undefined) return
    for (const [what, count] of Object.entries(data.counts ?? {})) counts[what] = (counts[what] ?? 0) + count
  }

  async function* report(): AsyncGenerator<Event> {
    for await (const events of inTurn(runs, concurrency)) {
      for (const event of events) {
        heed(event)
        if (event.type !== 'test:summary' && !isTotal.test(event.data.message ?? '')) yield event
      }
    }
    const total = (message: string): Event => ({ type: 'test:diagnostic', data: { nesting: 0, message } })
    for (const [word, count] of Object.entries(totals)) yield total(`${word} ${counts[count] ?? 0}`)
    yield total(`duration_ms ${performance.now() - started}`)
  }

  for await (const text of Readable.from(report()).compose(new spec())) process.stdout.write(text)
  return { passed, skipped }
}

/** The events of each run when it has ended: those of two at once would read as nonsense. */
async function* inTurn(runs: readonly TestRun[], concurrency: number): AsyncGenerator<readonly Event[]> {
  const waiting = [...runs]
  const running = new Map<TestRun, Promise<readonly [TestRun, readonly Event[]]>>()
  for (;;) {
    while (running.size < concurrency) {
      const next = waiting.shift()
      if (next === undefined) break
      running.set(
        next,
        eventsOf(next).then((events) => [next, events] as const),
      )
    }
    if (running.size === 0) return
    const [ended, events] = await Promise.race(running.values())
    running.delete(ended)
    yield events
  }
}

async function eventsOf({ file, label, env }: TestRun): Promise<readonly Event[]> {
  // A file whose set-up failed may leave servers behind that keep it alive: it ends with its last test all the same.
  const execArgv = [...process.execArgv, '--test-force-exit']
  const options = { files: [file], concurrency: 1, timeout: fileTimeoutMs, execArgv, env: { ...process.env, ...env } }
  const events: Event[] = []
  for await (const event of run(options) as AsyncIterable<Event>) {
    const { type, data } = event
    const isNamed = label !== undefined && data.nesting === 0 && data.name !== undefined
    events.push(isNamed ? { type, data: { ...data, name: `${label}: ${data.name}` } } : event)
  }
  return events
}
