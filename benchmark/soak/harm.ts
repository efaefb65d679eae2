/** What happens to backends and clients during a soak, at random but for the seed: killed, stopped for a while, reconfigured. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Member } from './crew.ts'

export interface HarmOptions {
  readonly members: readonly Member[]
  /** Changes a resource that traffic is using; `turn` makes each change unlike the last. */
  readonly change: (turn: number) => Promise<void>
  readonly seed: number
  readonly signal: AbortSignal
}

/** How long a stopped or killed process stays away at most, and the time from one harm to the next. */
const [awayMs, everyMs] = [2500, 900]

export interface HarmDone {
  kills: number
  stops: number
  changes: number
}

/** Goes on until aborted; then everything that was stopped goes on, and everything that was killed is back. */
export async function harm(options: HarmOptions): Promise<HarmDone> {
  const { members, signal } = options
  const victims = members.filter((member) => member.harmed)
  const done: HarmDone = { kills: 0, stops: 0, changes: 0 }
  const random = dice(options.seed)
  const away: Promise<void>[] = []
  while (!signal.aborted) {
    await wait(random() * everyMs, signal)
    const victim = victims[Math.floor(random() * victims.length)]
    const kind = random()
    if (kind < 0.2) {
      done.changes += 1
      await options.change(done.changes)
    } else if (victim === undefined || !victim.alive || victim.paused) {
      // Away already.
    } else if (kind < 0.6) {
      done.kills += 1
      away.push(killed(victim, random() * awayMs, signal))
    } else {
      done.stops += 1
      away.push(stopped(victim, random() * awayMs, signal))
    }
  }
  await Promise.all(away)
  return done
}

async function killed(victim: Member, ms: number, signal: AbortSignal): Promise<void> {
  await victim.kill()
  await wait(ms, signal)
  await victim.start()
}

async function stopped(victim: Member, ms: number, signal: AbortSignal): Promise<void> {
  victim.pause()
  await wait(ms, signal)
  victim.proceed()
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => {})
}

/** Numbers from 0 to below 1. */
function dice(seed: number): () => number {
  let state = (seed * 2654435761 + 1) >>> 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
