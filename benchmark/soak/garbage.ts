/**
 * For plugins of a soak: keeps the worker's garbage collector busy, every kind of collection and garbage of all ages, and writes
 * down what the worker's heap and its wire hold.
 */
import { writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'
import { type PoolFigures, poolFigures } from './pool-figures.ts'

export interface GarbageConf {
  readonly wire: string
  /** Where the figures go, anew each second. */
  readonly file: string
}

export interface WorkerFigures {
  readonly heapUsed: number
  readonly external: number
  readonly collections: number
  /** Undefined where the wire has none, or they could not be read. */
  readonly pools: PoolFigures | undefined
}

type Collect = (options?: { readonly type: 'minor' | 'major'; readonly flavor?: 'last-resort' }) => void

const [minorMs, minorsPerMajor, majorsPerCompaction] = [50, 40, 10]
const writeMs = 1000

export const garbageSchema = {
  type: 'object',
  properties: { wire: { type: 'string' }, file: { type: 'string' } },
  required: ['wire', 'file'],
}

/** Sessions whose garbage is still held: long enough to grow old, so that old space is collected and moved as well. */
const held: unknown[] = new Array(512).fill(undefined)
let sessions = 0
let users = 0
let timers: readonly NodeJS.Timeout[] = []

/** For each plugin that is created; the first one starts it. Nothing happens in the main thread. */
export function beginGarbage(conf: GarbageConf, fileOf: (conf: GarbageConf) => string): void {
  if (isMainThread) return
  users += 1
  if (users === 1) timers = start(conf.wire, fileOf(conf))
}

/** For each plugin that is closed. */
export function endGarbage(): void {
  if (isMainThread) return
  users -= 1
  if (users > 0) return
  for (const timer of timers) clearInterval(timer)
  held.fill(undefined)
}

/** In the main thread: all that can be collected, at these intervals, so that what grows there is what is held. */
export function collectRegularly(everyMs: number): void {
  if (!isMainThread) return
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  setInterval(() => collect({ type: 'major' }), everyMs).unref()
}

/** Of one session or request. */
export function leaveGarbage(): void {
  const size = 1 << (6 + (sessions % 11))
  held[sessions % held.length] = [Buffer.alloc(size), Buffer.allocUnsafe(size >> 3), { text: `session ${sessions}` }]
  sessions += 1
}

function collector(): () => number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  let count = 0
  return () => {
    count += 1
    if (count % minorsPerMajor !== 0) collect({ type: 'minor' })
    else if (count % (minorsPerMajor * majorsPerCompaction) !== 0) collect({ type: 'major' })
    // Everything that can be moved is moved: an address that was taken of something movable is wrong afterwards.
    else collect({ type: 'major', flavor: 'last-resort' })
    return count
  }
}

function start(wire: string, file: string): readonly NodeJS.Timeout[] {
  const collect = collector()
  let collections = 0
  const write = (): void => {
    const { heapUsed, external } = process.memoryUsage()
    const figures: WorkerFigures = { heapUsed, external, collections, pools: poolFigures(wire) }
    writeFileSync(file, JSON.stringify(figures))
  }
  const collecting = setInterval(() => {
    collections = collect()
  }, minorMs)
  return [collecting, setInterval(write, writeMs)]
}
