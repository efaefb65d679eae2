/**
 * What one worker has counted, in a form that a message between threads carries cheaply, and how several become one.
 * Showing it to anybody is not its business.
 */

export type FamilyType = 'counter' | 'gauge' | 'histogram'

/**
 * All series of one name. Series `i` has the labels `labelValues[i * labels.length …]` and the numbers `values[i * width …]`:
 * one number for counters and gauges; for histograms the count of each bucket alone (not cumulated), of what lies above, and the sum.
 */
export interface FamilySnapshot {
  readonly name: string
  readonly help: string
  readonly type: FamilyType
  readonly labels: readonly string[]
  /** Upper bounds, ascending, without the infinite one. Empty unless a histogram. */
  readonly buckets: readonly number[]
  readonly labelValues: readonly string[]
  readonly values: Float64Array
  /** A gauge in name that only goes up: kept when its worker is gone. */
  readonly total?: true
}

export type MetricsSnapshot = readonly FamilySnapshot[]

/** How many numbers a series of this family has. */
export function seriesWidth(family: { readonly type: FamilyType; readonly buckets: readonly number[] }): number {
  return family.type === 'histogram' ? family.buckets.length + 2 : 1
}

/** The name of the series that stands for all those that had no room, in every label. */
export const overflow = 'overflow'

/**
 * The sum, series by series. A family that differs in type, labels or buckets from one of the same name seen earlier is left out:
 * it is of another version of this program. Series beyond `maxSeries` are added to their family's `overflow` series.
 */
export function mergeSnapshots(
  snapshots: Iterable<MetricsSnapshot>,
  maxSeries = Number.POSITIVE_INFINITY,
): MetricsSnapshot {
  const sums = new Map<string, FamilySum>()
  const room = { left: maxSeries }
  for (const snapshot of snapshots) {
    for (const family of snapshot) {
      const sum = sums.get(family.name) ?? new FamilySum(family)
      sums.set(family.name, sum)
      if (sum.accepts(family)) sum.add(family, room)
    }
  }
  return Array.from(sums.values(), (sum) => sum.snapshot())
}

class FamilySum {
  readonly #model: FamilySnapshot
  readonly #width: number
  readonly #series: Map<string, { readonly labelValues: readonly string[]; readonly values: Float64Array }>

  constructor(model: FamilySnapshot) {
    this.#model = model
    this.#width = seriesWidth(model)
    this.#series = new Map()
  }

  accepts(family: FamilySnapshot): boolean {
    const { type, labels, buckets } = this.#model
    return type === family.type && sameList(labels, family.labels) && sameList(buckets, family.buckets)
  }

  add(family: FamilySnapshot, room: { left: number }): void {
    const labelCount = family.labels.length
    const width = this.#width
    for (let i = 0; i * width < family.values.length; i++) {
      const labelValues = family.labelValues.slice(i * labelCount, (i + 1) * labelCount)
      const target = this.#find(labelValues, room)
      for (let n = 0; n < width; n++) target[n]! += family.values[i * width + n]!
    }
  }

  #find(labelValues: readonly string[], room: { left: number }): Float64Array {
    const key = seriesKey(labelValues)
    const known = this.#series.get(key)
    if (known !== undefined) return known.values
    const spare = labelValues.map(() => overflow)
    if (room.left <= 0 && key !== seriesKey(spare)) return this.#find(spare, room)
    room.left -= 1
    const values = new Float64Array(this.#width)
    this.#series.set(key, { labelValues, values })
    return values
  }

  snapshot(): FamilySnapshot {
    const labelValues: string[] = []
    const values = new Float64Array(this.#series.size * this.#width)
    let at = 0
    for (const series of this.#series.values()) {
      labelValues.push(...series.labelValues)
      values.set(series.values, at)
      at += this.#width
    }
    return { ...this.#model, labelValues, values }
  }
}

/** One text for one list of label values, whatever characters they have. */
export function seriesKey(labelValues: readonly string[]): string {
  return labelValues.length === 1 ? labelValues[0]! : JSON.stringify(labelValues)
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i])
}
