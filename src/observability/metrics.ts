/**
 * Instruments for the hot path: a counter is a number, a histogram a typed array. Families hand out one instrument per list of label
 * values; whoever counts keeps it. Nothing here renders, and the number of series is bounded.
 */
import {
  type FamilySnapshot,
  type FamilyType,
  type MetricsSnapshot,
  overflow,
  seriesKey,
  seriesWidth,
} from './metrics-snapshot.ts'

export type { MetricsSnapshot }

/** Only goes up. */
export class Counter {
  value: number

  constructor() {
    this.value = 0
  }

  add(by: number): void {
    this.value += by
  }

  writeTo(values: Float64Array, at: number): void {
    values[at] = this.value
  }
}

/** What is the case now. Workers' gauges are summed. */
export class Gauge {
  value: number

  constructor() {
    this.value = 0
  }

  set(value: number): void {
    this.value = value
  }

  add(by: number): void {
    this.value += by
  }

  writeTo(values: Float64Array, at: number): void {
    values[at] = this.value
  }
}

/** Counts by upper bound, and the sum of what was observed. */
export class Histogram {
  readonly #buckets: readonly number[]
  readonly #numbers: Float64Array

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets
    this.#numbers = new Float64Array(buckets.length + 2)
  }

  observe(value: number): void {
    const buckets = this.#buckets
    const numbers = this.#numbers
    let bucket = 0
    while (bucket < buckets.length && value > buckets[bucket]!) bucket += 1
    numbers[bucket]! += 1
    numbers[buckets.length + 1]! += value
  }

  writeTo(values: Float64Array, at: number): void {
    values.set(this.#numbers, at)
  }

  /** How many values were observed. */
  get value(): number {
    const numbers = this.#numbers
    let count = 0
    for (let bucket = 0; bucket <= this.#buckets.length; bucket++) count += numbers[bucket]!
    return count
  }
}

type Instrument = Counter | Gauge | Histogram

interface Shape {
  readonly name: string
  readonly help: string
  readonly type: FamilyType
  readonly labels: readonly string[]
  readonly buckets: readonly number[]
}

export interface FamilyOptions {
  /** A series that stood still for so long is dropped, as far as snapshots can tell; 0: never. */
  readonly expireMs: number
}

interface Series<I> {
  readonly labelValues: readonly string[]
  readonly instrument: I
  /** What a snapshot last saw of it, and when that had changed. */
  seen: number
  movedAt: number
}

/** All instruments of one name. */
export class Family<I extends Instrument> {
  readonly shape: Shape
  expireMs: number
  readonly #make: () => I
  readonly #registry: Metrics
  readonly #series: Map<string, Series<I>>

  constructor(shape: Shape, make: () => I, registry: Metrics) {
    this.shape = shape
    this.expireMs = 0
    this.#make = make
    this.#registry = registry
    this.#series = new Map()
  }

  get size(): number {
    return this.#series.size
  }

  get name(): string {
    return this.shape.name
  }

  /** The instrument for these label values, in the order of the family's labels. A map look-up: keep the result. */
  with(...labelValues: string[]): I {
    const key = seriesKey(labelValues)
    const known = this.#series.get(key)
    if (known !== undefined) return known.instrument
    if (labelValues.length !== this.shape.labels.length) {
      throw new RangeError(`${this.shape.name} has ${this.shape.labels.length} labels, not ${labelValues.length}`)
    }
    const spare = labelValues.map(() => overflow)
    const isSpare = key === seriesKey(spare)
    if (!isSpare && !this.#registry.admit(this.shape.name)) return this.with(...spare)
    const instrument = this.#make()
    this.#series.set(key, { labelValues, instrument, seen: Number.NaN, movedAt: 0 })
    return instrument
  }

  /** Drops what stood still for too long. Returns how many series that were. */
  expire(now: number): number {
    if (this.expireMs === 0) return 0
    let dropped = 0
    for (const [key, series] of this.#series) {
      const { value } = series.instrument
      if (value !== series.seen) {
        series.seen = value
        series.movedAt = now
      } else if (now - series.movedAt > this.expireMs) {
        this.#series.delete(key)
        dropped += 1
      }
    }
    return dropped
  }

  snapshot(): FamilySnapshot {
    const width = seriesWidth(this.shape)
    const labelValues: string[] = []
    const values = new Float64Array(this.#series.size * width)
    let at = 0
    for (const series of this.#series.values()) {
      labelValues.push(...series.labelValues)
      series.instrument.writeTo(values, at)
      at += width
    }
    return { ...this.shape, labelValues, values }
  }
}

export type CounterFamily = Family<Counter>
export type GaugeFamily = Family<Gauge>
export type HistogramFamily = Family<Histogram>

export interface MetricsOptions {
  /** Series that all families of this worker may have together (`metric_series`), beside one `overflow` series for each. */
  readonly maxSeries: number
  /** Called once, with the first family that found no room. */
  readonly onOverflow: (family: string) => void
  /** Monotonic, in ms. */
  readonly now?: () => number
}

/** The families of one worker. */
export class Metrics {
  readonly #options: MetricsOptions
  readonly #families: Map<string, Family<Instrument>>
  #series: number
  #overflowed: boolean
  /** Another number whenever series were dropped: instruments that somebody kept may count for nobody then. */
  generation: number

  constructor(options: MetricsOptions) {
    this.#options = options
    this.#families = new Map()
    this.#series = 0
    this.#overflowed = false
    this.generation = 0
  }

  /** The family of that name, made at the first call. Names are given without APISIX's prefix; those that start with `sluice_` get none. */
  counter(name: string, help: string, labels: readonly string[]): CounterFamily {
    return this.#family({ name, help, type: 'counter', labels, buckets: [] }, () => new Counter())
  }

  gauge(name: string, help: string, labels: readonly string[]): GaugeFamily {
    return this.#family({ name, help, type: 'gauge', labels, buckets: [] }, () => new Gauge())
  }

  /** `buckets` are upper bounds, ascending. */
  histogram(name: string, help: string, labels: readonly string[], buckets: readonly number[]): HistogramFamily {
    return this.#family({ name, help, type: 'histogram', labels, buckets }, () => new Histogram(buckets))
  }

  /**
   * As `counter` and `histogram`, for families whose shape is a setting: one that exists with another shape is replaced, and
   * what it had counted is gone.
   */
  configuredCounter(name: string, help: string, labels: readonly string[], options: FamilyOptions): CounterFamily {
    this.#replace({ name, help, type: 'counter', labels, buckets: [] })
    return Object.assign(this.counter(name, help, labels), options)
  }

  configuredHistogram(
    name: string,
    help: string,
    labels: readonly string[],
    buckets: readonly number[],
    options: FamilyOptions,
  ): HistogramFamily {
    this.#replace({ name, help, type: 'histogram', labels, buckets })
    return Object.assign(this.histogram(name, help, labels, buckets), options)
  }

  /** Everything counted so far; safe to post to another thread. Families without series are left out. */
  snapshot(): MetricsSnapshot {
    const now = (this.#options.now ?? (() => performance.now()))()
    for (const family of this.#families.values()) this.#dropped(family.expire(now))
    return Array.from(this.#families.values(), (family) => family.snapshot()).filter(
      (family) => family.values.length > 0,
    )
  }

  /** Room for one more series; a family asks before it makes one. */
  admit(family: string): boolean {
    if (this.#series < this.#options.maxSeries) {
      this.#series += 1
      return true
    }
    if (!this.#overflowed) {
      this.#overflowed = true
      this.#options.onOverflow(family)
    }
    return false
  }

  #replace(shape: Shape): void {
    const known = this.#families.get(shape.name)
    if (known === undefined || JSON.stringify(known.shape) === JSON.stringify(shape)) return
    this.#families.delete(shape.name)
    this.#dropped(known.size)
  }

  #dropped(series: number): void {
    if (series === 0) return
    this.#series = Math.max(0, this.#series - series)
    this.generation += 1
  }

  #family<I extends Instrument>(shape: Shape, make: () => I): Family<I> {
    const known = this.#families.get(shape.name)
    if (known === undefined) {
      const family = new Family(shape, make, this)
      this.#families.set(shape.name, family as unknown as Family<Instrument>)
      return family
    }
    if (JSON.stringify(known.shape) !== JSON.stringify(shape))
      throw new Error(`the metric ${shape.name} exists with another shape`)
    return known as unknown as Family<I>
  }
}
