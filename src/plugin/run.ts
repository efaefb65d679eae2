/** Runs the steps of a phase in order. Plain calls while steps answer at once; promises only from the first step that returns one. */
import { GatewayError } from '../errors.ts'
import type { StreamExchange } from '../exchange/exchange.ts'
import type { LogStep, Preread } from './chain.ts'
import type { Answer } from './plugin.ts'

type Verdict = Answer | undefined

/**
 * Runs `steps` from `from` on until one answers. What a step throws (or rejects with) is thrown (or rejected) as
 * a GatewayError of code `internal`.
 */
export function runPreread(steps: readonly Preread[], exchange: StreamExchange, from = 0): Verdict | Promise<Verdict> {
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

async function rest(
  pending: Promise<Verdict>,
  steps: readonly Preread[],
  exchange: StreamExchange,
  next: number,
): Promise<Verdict> {
  let verdict: Verdict
  try {
    verdict = await pending
  } catch (thrown) {
    throw GatewayError.from(thrown)
  }
  return verdict ?? runPreread(steps, exchange, next)
}

/** Runs every log step; one that throws is reported and does not keep the others from running. */
export function runLog(steps: readonly LogStep[], exchange: StreamExchange, failed: (error: unknown) => void): void {
  for (const step of steps) {
    try {
      step(exchange)
    } catch (thrown) {
      failed(thrown)
    }
  }
}
