/** What a program has cost so far, by /proc: processor time and resident memory of a process with all its threads and children. */
import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ: what /proc counts in on every Linux that Node runs on. */
const ticksPerSecond = 100

interface Entry {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
}

/** Processor seconds, user and system, of the process and its living descendants. */
export function cpuSeconds(pid: number): number {
  return tree(pid).reduce((sum, entry) => sum + entry.ticks, 0) / ticksPerSecond
}

/** The same of this process, with all children that have ended. */
export function ownCpuSeconds(): number {
  const ended = statFields(process.pid)?.slice(13, 15) ?? []
  return cpuSeconds(process.pid) + ended.reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond
}

export interface Scheduling {
  /** Seconds that threads ran... */
  readonly ran: number
  /** ...and that they could have run, had a processor been free. */
  readonly waited: number
}

/** Of all threads of one process that live now; zeros where the kernel does not tell. */
export function scheduling(pid: number): Scheduling {
  let [ran, waited] = [0, 0]
  for (const thread of listed(`/proc/${pid}/task`)) {
    const [run = 0, wait = 0] = (contents(`/proc/${pid}/task/${thread}/schedstat`) ?? '').split(' ').map(Number)
    ran += run / 1e9
    waited += wait / 1e9
  }
  return { ran, waited }
}

/** Resident bytes, summed; pages that processes share count for each. */
export function residentBytes(pid: number): number {
  const sizes = tree(pid).map((entry) => {
    const status = readFileSync(`/proc/${entry.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
  })
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** The process and its living descendants. */
export function processTree(pid: number): readonly number[] {
  return tree(pid).map((entry) => entry.pid)
}

function tree(pid: number): Entry[] {
  const entries = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => read(Number(name)))
    .filter((entry) => entry !== undefined)
  const found = entries.filter((entry) => entry.pid === pid)
  for (const entry of found) found.push(...entries.filter((other) => other.parent === entry.pid))
  return found
}

function read(pid: number): Entry | undefined {
  const fields = statFields(pid)
  return fields === undefined
    ? undefined
    : { pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
}

/** What stands behind the name, which may hold anything: state, parent, …, utime, stime, and those of ended children. */
function statFields(pid: number): readonly string[] | undefined {
  const text = contents(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Undefined when it ended between the listing and now. */
function contents(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
