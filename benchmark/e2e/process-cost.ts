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
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    // It ended between the listing and now.
    return undefined
  }
  // The second field, the name, may hold anything, so count from its closing parenthesis: state, parent, …, utime, stime.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
}
