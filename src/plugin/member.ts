/**
 * One plugin under one configuration, as chains hold it: its phase functions, wrapped as `_meta` says. Several chains may
 * hold the same one; it lives until the last of them lets go.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '../base/json.ts'
import type { Exchange } from '../exchange/exchange.ts'
import type { HeaderFilter, HttpStep, LogStep, Preread } from './chain.ts'
import type { PlacedPlugin } from './merge.ts'
import type { Answer, AnyPlugin, Phases } from './plugin.ts'

export interface Condition {
  (exchange: Exchange): boolean
  /** The variables that it asks for. */
  readonly names?: readonly string[]
}

/** `_meta` of a configuration that was checked. */
export interface Meta {
  readonly disable?: boolean
  readonly priority?: number
  readonly filter?: unknown
  readonly error_response?: string | JsonObject
}

export interface MemberParts {
  readonly plugin: AnyPlugin
  readonly owner: string
  readonly placed: PlacedPlugin
  /** `plugin_attr` of the plugin. */
  readonly attributes: Json | undefined
  readonly phases: Phases
  /** False: the phases only stand for a plugin that could not be had. */
  readonly started: boolean
  /** Compiled `_meta.filter`. */
  readonly filter: Condition | undefined
  /** What has to be done before the first phase, filter included: the plugin asks for variables that look into the body. */
  readonly loadBody: HttpStep | undefined
  /** Run when the last chain lets go, after the plugin's own `close`. */
  readonly releases: readonly (() => void)[]
  /** A filter failed to evaluate, or a plugin to close. */
  readonly failed: (error: unknown, message: string) => void
}

export class Member {
  readonly plugin: AnyPlugin
  readonly priority: number
  readonly loadBody: HttpStep | undefined
  readonly preread: Preread | undefined
  readonly rewrite: HttpStep | undefined
  readonly access: HttpStep | undefined
  readonly beforeProxy: HttpStep | undefined
  readonly headerFilter: HeaderFilter | undefined
  readonly log: LogStep | undefined
  readonly #parts: MemberParts
  #holders = 0

  constructor(parts: MemberParts) {
    const { plugin, placed, phases, filter, failed } = parts
    const meta = metaIn(placed.conf)
    this.#parts = parts
    this.plugin = plugin
    this.priority = meta.priority ?? plugin.priority
    this.loadBody = parts.loadBody
    const condition = filter === undefined ? undefined : once(filter, failed)
    const refusal = meta.error_response
    this.preread = guarded(phases.preread, condition)
    this.rewrite = guarded(withRefusal(phases.rewrite, refusal), condition)
    this.access = guarded(withRefusal(phases.access, refusal), condition)
    this.beforeProxy = guarded(withRefusal(phases.beforeProxy, refusal), condition)
    this.headerFilter = guarded(phases.headerFilter, condition)
    this.log = guarded(phases.log, condition)
  }

  /** It would come out the same if it were made anew of these. */
  isMadeOf(next: Pick<MemberParts, 'plugin' | 'owner' | 'placed' | 'attributes'>): boolean {
    const mine = this.#parts
    const { placed } = next
    if (!mine.started || mine.plugin !== next.plugin || mine.owner !== next.owner) return false
    if (mine.placed.origin !== placed.origin || !alike(mine.attributes, next.attributes)) return false
    return alike(mine.placed.conf, placed.conf)
  }

  hold(): void {
    this.#holders++
  }

  /** Once for each `hold`. The last one closes the plugin; what that throws is reported. */
  release(): void {
    this.#holders--
    if (this.#holders > 0) return
    const { phases, releases, failed } = this.#parts
    runAll([() => phases.close?.(), ...releases], (thrown) => failed(thrown, 'a plugin failed to close'))
  }
}

function alike(one: unknown, other: unknown): boolean {
  return one === other || isDeepStrictEqual(one, other)
}

/** One that throws does not keep the others from running. */
export function runAll(tasks: readonly (() => void)[], failed: (thrown: unknown) => void): void {
  for (const task of tasks) {
    try {
      task()
    } catch (thrown) {
      failed(thrown)
    }
  }
}

export function metaIn(conf: JsonObject): Meta {
  return (conf['_meta'] ?? {}) as Meta
}

/** What holds at an exchange's first phase holds for all of them: a plugin that counted it in must be there to count it out. */
function once(filter: Condition, failed: MemberParts['failed']): Condition {
  const verdicts = new WeakMap<Exchange, boolean>()
  return (exchange) => {
    const known = verdicts.get(exchange)
    if (known !== undefined) return known
    let verdict = true
    try {
      verdict = filter(exchange)
    } catch (thrown) {
      failed(thrown, 'a filter could not be evaluated; the plugin runs')
    }
    verdicts.set(exchange, verdict)
    return verdict
  }
}

type Phase<Rest extends readonly unknown[], R> = (exchange: never, ...rest: Rest) => R | undefined

function guarded<F extends Phase<never, unknown>>(run: F | undefined, condition: Condition | undefined): F | undefined {
  if (run === undefined || condition === undefined) return run
  const plain = run as unknown as (exchange: Exchange, head?: unknown) => unknown
  const wrapped = (exchange: Exchange, head?: unknown) => (condition(exchange) ? plain(exchange, head) : undefined)
  return wrapped as unknown as F
}

/** The body of whatever refusal the plugin gives. */
function withRefusal(step: HttpStep | undefined, body: Meta['error_response']): HttpStep | undefined {
  if (step === undefined || body === undefined) return step
  const replace = (answer: Answer | undefined): Answer | undefined =>
    answer === undefined || answer.status < 400 ? answer : { ...answer, body }
  return (exchange) => {
    const verdict = step(exchange)
    return verdict instanceof Promise ? verdict.then(replace) : replace(verdict)
  }
}
