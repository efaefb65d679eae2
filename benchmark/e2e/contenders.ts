/** Who may be compared, and what they offer to the load: nobody in between, Sluice on each of its wires, nginx, HAProxy. */

/** A port for each kind of traffic; absent where the contender does not carry it. */
export interface Ports {
  readonly tcp?: number
  readonly udp?: number
  readonly http?: number
  readonly https?: number
}

export interface Contender {
  readonly name: string
  readonly ports: Ports
  /** Paths of HTTP that it answers as all others do. */
  readonly paths: readonly string[]
  /** The process whose cost counts; undefined for the direct way. */
  readonly pid: number | undefined
  stop(): Promise<void>
}

/** A contender that can be started, more than once if need be. */
export interface Entrant {
  readonly name: string
  /** `env` is added to the environment of its process. Rejects with the reason when it cannot run here. */
  start(env?: Readonly<Record<string, string>>): Promise<Contender>
}

/** Which of the wires, and whether the direct way, nginx and HAProxy take part. */
export interface Choice {
  readonly names: readonly string[]
  readonly wires: readonly string[]
}

/** What the tables call Sluice on a wire. */
export function sluiceName(wire: string): string {
  return `sluice ${wire}`
}

/** The names of the wires behind `--wire`; `all` stands for each there is. */
export function chosenWires(option: string, all: readonly string[]): readonly string[] {
  return option === 'all' ? all : option.split(',')
}

/** Starts all of them, one after the other; one that cannot run here is named with its reason and left out. */
export async function startAll(entrants: readonly Entrant[], say: (line: string) => void): Promise<Contender[]> {
  const running: Contender[] = []
  for (const entrant of entrants) {
    try {
      running.push(await entrant.start())
    } catch (error) {
      say(`skipped: ${entrant.name} (${reasonOf(error)})`)
    }
  }
  return running
}

export async function stopAll(running: readonly Contender[]): Promise<void> {
  await Promise.all(running.map((contender) => contender.stop()))
}

/** The last line that says something: what a program wrote before it ended, or the message. */
export function reasonOf(error: unknown): string {
  const lines = String(error instanceof Error ? error.message : error)
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.at(-1)?.trim() ?? 'no reason given'
}
