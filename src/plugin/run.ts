/** Runs the steps of a phase in order. Plain calls while steps answer at once; promises only from the first step that returns one. */
import { GatewayError } from '../errors.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { LogStep } from './chain.ts'
import type { Answer, Step } from './plugin.ts'

export type Verdict = Answer | undefined

/**
 * Runs `steps` from `from` on until one answers. What a step throws (or rejects with) is thrown (or rejected) as
 * a GatewayError: itself if it is one, else of code `internal`. Where the exchange fails while a step waits, the rest does
 * not run, and the promise rejects with that failure.
 */
export function runSteps<X extends Exchange>(
  steps: readonly Step<X>[],
  exchange: X,
  from = 0,
): Verdict | Promise<Verdict> {
  for (let i = from; i < steps.length; i++) {
    let verdict: Verdict | Promise<Verdict>
    try {
      verdict = steps[i]?.(exchange)
    } catch (thrown) {
      throw GatewayError.from(thrown)
    }
    if (verdict instanceof Promise) return rest(verdict, steps, exchange, i + 1)
    if (verdict !== undefined) return verdict
  }
  return undefined
}

async function rest<X extends Exchange>(
  pending: Promise<Verdict>,
  steps: readonly Step<X>[],
  exchange: X,
  next: number,
): Promise<Verdict> {
  let verdict: Verdict
  try {
    verdict = await pending
  } catch (thrown) {
    throw GatewayError.from(thrown)
  }
  // Its log steps have run meanwhile: what a later step began now, nobody would end.
  if (exchange.error !== undefined) throw exchange.error
  return verdict ?? runSteps(steps, exchange, next)
}

/** Runs every log step; one that throws is reported and does not keep the others from running. */
export function runLog(steps: readonly LogStep[], exchange: Exchange, failed: (error: unknown) => void): void {
  for (const step of steps) {
    try {
      step(exchange)
    } catch (thrown) {
      failed(thrown)
    }
  }
}
