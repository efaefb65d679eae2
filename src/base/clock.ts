/** Where durations are measured. A parameter of whatever measures, so that tests need not wait; it never tells the time of day. */

export interface Clock {
  /** Milliseconds since some fixed point, with fractions; never goes back. */
  now(): number
}

export const monotonic: Clock = performance
