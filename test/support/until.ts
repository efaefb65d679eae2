/** Waiting for a condition, with a deadline and a name for it: what tests do instead of sleeping for luck. */
import { setTimeout as pause } from 'node:timers/promises'

/** Resolves with the first truthy value of `condition`; rejects after `ms` saying what never came. */
export async function until<T>(
  condition: () => T | Promise<T>,
  { ms = 10_000, what = 'the condition' }: { ms?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + ms
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${ms} ms`)
    await pause(5)
  }
}
