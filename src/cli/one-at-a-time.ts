/** Keeps a piece of work from running twice at once, with a queue that is never longer than one. */

/**
 * `work`, so that a call made while it runs starts it once more afterwards: what the caller changed before calling is
 * seen. All calls that come while one waits share that one.
 */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve()
  let waiting: Promise<T> | undefined
  return () => {
    waiting ??= running.then(() => {
      waiting = undefined
      const result = work()
      running = result.catch(() => {})
      return result
    })
    return waiting
  }
}
