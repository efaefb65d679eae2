/** What `plugin_attr.prometheus` says of the metrics of HTTP: labels of one's own, buckets, expiry. Faults are told, and left out. */
import type { Build } from '#sdk'

export const defaultBuckets: readonly number[] = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000,
]

export interface MetricSettings {
  readonly expireMs: number
  /** Names of the labels that are added, and the variables that they show. */
  readonly labels: readonly string[]
  readonly variables: readonly string[]
}

export interface PrometheusSettings {
  readonly status: MetricSettings
  readonly latency: MetricSettings
  readonly bandwidth: MetricSettings
  readonly buckets: readonly number[]
}

interface Attributes {
  readonly default_buckets?: unknown
  readonly metrics?: Readonly<
    Record<string, { expire?: unknown; extra_labels?: unknown; buckets?: unknown } | undefined>
  >
}

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

export function prometheusSettings(attributes: unknown, own: OwnLabels, log: Build['log']): PrometheusSettings {
  const { default_buckets, metrics = {} } = (attributes ?? {}) as Attributes
  const settings = (name: keyof OwnLabels): MetricSettings => {
    const { expire, extra_labels } = metrics[name] ?? {}
    const pairs = labelsIn(extra_labels, own[name], (label) =>
      log.warn({ metric: name, label }, 'prometheus: an extra label that is none, or is there already, is left out'),
    )
    return {
      expireMs: typeof expire === 'number' ? expire * 1000 : 0,
      labels: pairs.map(([label]) => label),
      variables: pairs.map(([, variable]) => variable),
    }
  }
  const { buckets } = metrics['http_latency'] ?? {}
  const chosen = [buckets, default_buckets].find((one) => Array.isArray(one) && one.length > 0)
  if (chosen !== undefined && !ascending(chosen)) {
    log.warn({ buckets: chosen }, 'prometheus: buckets are numbers that ascend; the usual ones are used')
  }
  return {
    status: settings('http_status'),
    latency: settings('http_latency'),
    bandwidth: settings('bandwidth'),
    buckets: ascending(chosen) ? chosen : defaultBuckets,
  }
}

export type OwnLabels = Readonly<Record<'http_status' | 'http_latency' | 'bandwidth', readonly string[]>>

function ascending(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false
  return value.every((one, at) => Number.isFinite(one) && (at === 0 || one > value[at - 1]))
}

/** A list of objects with one member each: the label, and `$variable`. */
function labelsIn(
  list: unknown,
  taken: readonly string[],
  faulty: (label: unknown) => void,
): (readonly [label: string, variable: string])[] {
  const pairs: (readonly [string, string])[] = []
  for (const item of Array.isArray(list) ? list : []) {
    const [label = '', value] = Object.entries((item ?? {}) as object)[0] ?? []
    const known = taken.includes(label) || pairs.some(([other]) => other === label)
    if (labelName.test(label) && !known && typeof value === 'string' && value.startsWith('$')) {
      pairs.push([label, value.slice(1)])
    } else faulty(item)
  }
  return pairs
}
