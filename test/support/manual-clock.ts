/** A clock that stands still until a test moves it. */
import type { Clock } from '../../src/base/clock.ts'

export interface ManualClock extends Clock {
  /** Moves time on. */
  advance(ms: number): void
}

export function manualClock(startMs = 1_000): ManualClock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    advance(ms) {
      nowMs += ms
    },
  }
}
