/** Processes of the soak that may be killed and come back: what they have counted is kept beyond their end. */
import type { Generator, Generators, Held } from '../e2e/generators.ts'

/** What the clients count; each of them counts what concerns it. */
export type Counts = Readonly<Record<string, number>>

export interface MemberOptions {
  readonly name: string
  readonly generator: Generator
  readonly args: (turn: number) => readonly (string | number)[]
  /** Killed, stopped and started again at random. */
  readonly harmed: boolean
}

/** One place in the crew, held by one process after the other. */
export class Member {
  readonly name: string
  readonly harmed: boolean
  readonly #options: MemberOptions
  readonly #generators: Generators
  #held: Held | undefined
  #before: Record<string, number> = {}
  #turn = 0
  #isWanted = true
  #stopped = false

  constructor(generators: Generators, options: MemberOptions) {
    this.name = options.name
    this.harmed = options.harmed
    this.#options = options
    this.#generators = generators
  }

  async start(): Promise<void> {
    if (!this.#isWanted || this.#held !== undefined) return
    const { generator, args } = this.#options
    this.#turn += 1
    this.#held = await this.#generators.hold(generator, args(this.#turn))
    if (!this.#isWanted) await this.end()
  }

  /** All that its processes have counted. */
  counts(): Counts {
    const now = this.#held === undefined ? {} : parsed(this.#held.last())
    return add(this.#before, now)
  }

  get alive(): boolean {
    return this.#held !== undefined
  }

  /** Ended by itself: nobody killed it. */
  get failed(): boolean {
    return this.#held?.hasEnded ?? false
  }

  pause(): void {
    this.#stopped = true
    this.#held?.kill('SIGSTOP')
  }

  proceed(): void {
    this.#stopped = false
    this.#held?.kill('SIGCONT')
  }

  get paused(): boolean {
    return this.#stopped
  }

  async kill(): Promise<void> {
    const held = this.#held
    if (held === undefined) return
    held.kill('SIGKILL')
    await held.ended
    this.#settle(held)
  }

  /** For good. */
  async end(): Promise<void> {
    this.#isWanted = false
    const held = this.#held
    if (held === undefined) return
    await held.stop()
    this.#settle(held)
  }

  #settle(held: Held): void {
    this.#before = add(this.#before, parsed(held.last()))
    this.#held = undefined
    this.#stopped = false
  }
}

export function add(one: Counts, other: Counts): Record<string, number> {
  const sum: Record<string, number> = { ...one }
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

/** An echo server prints its port, and counts nothing. */
function parsed(line: string): Counts {
  return line.startsWith('{') ? (JSON.parse(line) as Counts) : {}
}
