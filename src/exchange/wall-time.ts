/** The time of day in the forms that nginx has variables for, in the local zone; seconds with milliseconds. */

const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const two = (n: number): string => String(n).padStart(2, '0')
const clock = (now: Date): string => `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`

/** The offset from UTC, with or without a colon. */
function zone(now: Date, colon: string): string {
  const minutes = -now.getTimezoneOffset()
  const abs = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(abs / 60))}${colon}${two(abs % 60)}`
}

/** `21/Nov/2026:12:43:00 +0000` */
export function timeLocal(now: Date): string {
  return `${two(now.getDate())}/${month[now.getMonth()]}/${now.getFullYear()}:${clock(now)} ${zone(now, '')}`
}

/** `2026-11-21T12:43:00+00:00` */
export function timeIso8601(now: Date): string {
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}T${clock(now)}${zone(now, ':')}`
}

/** Three decimals, as nginx writes all durations; never negative. */
export function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(3)
}
