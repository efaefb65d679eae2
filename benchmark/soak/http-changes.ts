/**
 * Changes by the Admin API during an HTTP soak: several lanes side by side, each with resources of its own. After each change, as
 * soon as all workers have it, what it must have changed is looked at.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Dice } from '../../test/support/dice.ts'
import type { TestGateway } from '../../test/support/gateway.ts'
import { until } from '../../test/support/until.ts'
import type { HttpBackends } from './http-backends.ts'
import type { HttpClient, Question, Wanted } from './http-client.ts'

/** What a lane works on. */
export interface ChangeSite {
  readonly client: HttpClient
  readonly backends: HttpBackends
  readonly dice: Dice
  /** Rejects unless the Admin API took it. `at` begins behind `/apisix/admin`. */
  change(method: 'PUT' | 'PATCH' | 'DELETE', at: string, body?: object): Promise<void>
}

export interface Change {
  readonly what: string
  /** Asked in this order once the change is in force. */
  readonly checks: readonly (readonly [Question, Wanted])[]
}

/** Makes one change, and resolves when the Admin API has answered. */
export type Step = () => Promise<Change>

/** Resolves once its resources are there, with its steps. */
export type Lane = (site: ChangeSite) => Promise<Step>

export interface ChangeOptions {
  readonly gateway: TestGateway
  readonly client: HttpClient
  readonly backends: HttpBackends
  readonly seed: number
  readonly failed: (what: string) => void
}

/** From one change to the next, of each lane, at most. */
const restMs = 50
const appliedMs = 20_000

/** By the names of the lanes. */
export type ChangeCounts = Readonly<Record<string, { readonly changes: number; readonly checks: number }>>

/** Changes until aborted. Rejects when the Admin API refuses one: the soak itself is wrong then, or the gateway is. */
export type MakeChanges = (signal: AbortSignal) => Promise<ChangeCounts>

/** Makes what the lanes need, one after the other. What is resolved with may be called again: lanes go on where they were. */
export async function prepareChanges(
  lanes: Readonly<Record<string, Lane>>,
  { gateway, client, backends, seed, failed }: ChangeOptions,
): Promise<MakeChanges> {
  const change: ChangeSite['change'] = async (method, at, body) => {
    const reply = await gateway.admin(method, at, body)
    if (reply.status >= 300) {
      throw new Error(`${method} ${at}: ${reply.status} ${JSON.stringify(reply.body)}, of ${JSON.stringify(body)}`)
    }
  }
  const prepared: (readonly [string, Dice, Step])[] = []
  for (const [name, lane] of Object.entries(lanes)) {
    const dice = new Dice(seed * 1000 + prepared.length)
    prepared.push([name, dice, await lane({ client, backends, dice, change })])
  }

  async function run(
    name: string,
    dice: Dice,
    step: Step,
    signal: AbortSignal,
  ): Promise<[string, ChangeCounts[string]]> {
    const counts = { changes: 0, checks: 0 }
    while (!signal.aborted) {
      const { what, checks } = await step()
      counts.changes += 1
      await inForce(gateway)
      for (const [question, wanted] of checks) {
        counts.checks += 1
        const fault = await client.check(question, wanted)
        if (fault !== undefined) failed(`${name}, after ${what}: ${fault}`)
      }
      await pause(dice.roll(restMs))
    }
    return [name, counts]
  }

  return async (signal) =>
    Object.fromEntries(await Promise.all(prepared.map(([name, dice, step]) => run(name, dice, step, signal))))
}

/** Resolves when every worker has what the Admin API has answered before the call. */
async function inForce(gateway: TestGateway): Promise<void> {
  let wanted: number | undefined
  const isApplied = async (): Promise<boolean> => {
    const { config, workers } = await gateway.status()
    wanted ??= config.revision
    const least = wanted
    return workers.every(({ revision }) => revision >= least)
  }
  await until(isApplied, { ms: appliedMs, what: 'the change on every worker' })
}
