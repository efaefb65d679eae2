/** Whether memory grows: a line through what was resident over time. */

export interface MemoryTrend {
  /** MiB a minute. */
  readonly perMinute: number
  /** MiB that the line rises over the time that was looked at. */
  readonly growth: number
  /** MiB, in the middle of that time. */
  readonly mean: number
  readonly samples: number
}

export interface MemorySample {
  readonly seconds: number
  readonly mib: number
}

/** The first quarter is left out: until then code is compiled and pools reach their size. Undefined with too few samples. */
export function memoryTrend(all: readonly MemorySample[]): MemoryTrend | undefined {
  const samples = all.slice(Math.ceil(all.length / 4))
  if (samples.length < 10) return undefined
  const mean = (read: (sample: MemorySample) => number): number =>
    samples.reduce((sum, sample) => sum + read(sample), 0) / samples.length
  const [middle, level] = [mean(({ seconds }) => seconds), mean(({ mib }) => mib)]
  const covariance = mean(({ seconds, mib }) => (seconds - middle) * (mib - level))
  const slope = covariance / mean(({ seconds }) => (seconds - middle) ** 2)
  const span = samples.at(-1)!.seconds - samples[0]!.seconds
  return { perMinute: slope * 60, growth: slope * span, mean: level, samples: samples.length }
}
