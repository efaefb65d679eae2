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
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    // It ended between the listing and now.
    return undefined
  }
}
