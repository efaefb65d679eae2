/**
 * Times and sizes as nginx writes them (`1h30m`, `240s`, `16k`). Read once at start; nothing here is for traffic.
 */

const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const sizeUnits: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/**
 * A time in milliseconds. A bare number is seconds; `1h 30m` adds up, the larger unit first.
 * Undefined: it is not a time.
 */
export function parseTime(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * 1000 : undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  if (!/^(\d+(ms|[smhdw])\s*)+$/.test(text)) return undefined
  let total = 0
  let smallest = Number.POSITIVE_INFINITY
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdw])/g)) {
    const scale = timeUnits[unit ?? ''] ?? 0
    if (scale >= smallest) return undefined
    smallest = scale
    total += Number(count) * scale
  }
  return total
}

/** A size in bytes. A bare number is bytes; `k`, `m`, `g` in either case are powers of 1024. Undefined: not a size. */
export function parseSize(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  const match = /^(\d+)([kmg]?)$/.exec(value.trim().toLowerCase())
  if (match === null) return undefined
  const total = Number(match[1]) * (sizeUnits[match[2] ?? ''] ?? 1)
  return Number.isSafeInteger(total) ? total : undefined
}

/** As `parseTime`, for values that the boot file's schema has let through. Throws a RangeError on anything else. */
export function millis(value: string | number): number {
  const result = parseTime(value)
  if (result === undefined) throw new RangeError(`not a time: ${value}`)
  return result
}

/** As `parseSize`, for values that the boot file's schema has let through. Throws a RangeError on anything else. */
export function bytes(value: string | number): number {
  const result = parseSize(value)
  if (result === undefined) throw new RangeError(`not a size: ${value}`)
  return result
}
