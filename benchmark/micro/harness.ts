/**
 * Times small pieces of code: warm-up, then the median of several runs, in ns per operation. It compares nothing and
 * keeps no history; figures of a machine that does other things meanwhile are noise.
 */

export interface Bench {
  readonly name: string
  /** Throws when the subject does not do what is about to be timed. Run once, before timing. */
  check?(): void
  /** Does `times` operations; whatever it returns keeps the compiler from leaving them out. */
  run(times: number): unknown
  /** Frees what `check` or `run` hold. */
  done?(): void
}

export interface Measurement {
  readonly name: string
  readonly nsPerOp: number
  /** The distance from the fastest to the slowest run, as a part of the median. */
  readonly spread: number
}

export interface HarnessOptions {
  /** A run lasts about so long. Default 50. */
  readonly runMs?: number
  /** Odd, so that there is a median. Default 9. */
  readonly runs?: number
}

/** Where results end up, so that they are used. */
let sink: unknown

export function measure(bench: Bench, options: HarnessOptions = {}): Measurement {
  const { runMs = 50, runs = 9 } = options
  bench.check?.()
  let times = 1
  // Warm-up and sizing in one: doubled until a run is long enough, so the code is optimised by then.
  while (timeMs(bench, times) < runMs) times *= 2
  const samples = Array.from({ length: runs }, () => (timeMs(bench, times) * 1e6) / times).sort((a, b) => a - b)
  bench.done?.()
  const median = samples[runs >> 1] as number
  return { name: bench.name, nsPerOp: median, spread: ((samples.at(-1) as number) - (samples[0] as number)) / median }
}

function timeMs(bench: Bench, times: number): number {
  const before = performance.now()
  sink = bench.run(times)
  return performance.now() - before
}

export function format({ name, nsPerOp, spread }: Measurement): string {
  const [value, unit] = nsPerOp < 1e4 ? [nsPerOp, 'ns'] : nsPerOp < 1e7 ? [nsPerOp / 1e3, 'µs'] : [nsPerOp / 1e6, 'ms']
  return `${name.padEnd(60)} ${value.toFixed(1).padStart(9)} ${unit}/op  ±${(spread * 50).toFixed(0)} %`
}

/** The last result of a run. */
export function lastResult(): unknown {
  return sink
}
