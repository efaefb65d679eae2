/** What a process has open, and what of it was not open before. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** By link: `socket:[4711]`, `anon_inode:[eventpoll]`, a path; and how often. Empty when the process is gone. */
export type OpenFiles = ReadonlyMap<string, number>

export function openFiles(pid: number): OpenFiles {
  const found = new Map<string, number>()
  for (const name of listed(`/proc/${pid}/fd`)) {
    try {
      const link = readlinkSync(`/proc/${pid}/fd/${name}`)
      found.set(link, (found.get(link) ?? 0) + 1)
    } catch {
      // Closed between the listing and now.
    }
  }
  return found
}

/** Kinds of which there are more than before; sockets with what the kernel knows of those that are new. */
export function moreOpen(before: OpenFiles, now: OpenFiles): readonly string[] {
  const [old, kinds] = [byKind(before), byKind(now)]
  return [...kinds].flatMap(([kind, count]) => {
    const more = count - (old.get(kind) ?? 0)
    if (more <= 0) return []
    const fresh = [...now.keys()].filter((link) => kindOf(link) === kind && !before.has(link))
    return [`${more} × ${kind}${kind === 'socket' ? ` (${fresh.map(describe).join('; ')})` : ''}`]
  })
}

function kindOf(link: string): string {
  return link.replace(/:\[\d+\]$/, '')
}

function byKind(files: OpenFiles): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const [link, count] of files) found.set(kindOf(link), (found.get(kindOf(link)) ?? 0) + count)
  return found
}

/** A line of the kernel's tables: addresses in hexadecimal, state. */
function describe(link: string): string {
  const inode = /\d+/.exec(link)?.[0] ?? ''
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
    for (const line of readFileSync(`/proc/net/${table}`, 'utf8').split('\n')) {
      const [, local, remote, state, queues, , , , , found] = line.trim().split(/\s+/)
      if (found === inode) return `${table} ${shown(local)} to ${shown(remote)}, state ${state}, queues ${queues}`
    }
  }
  const local = readFileSync('/proc/net/unix', 'utf8').split('\n')
  if (local.some((line) => line.split(/\s+/)[6] === inode)) return 'unix'
  return 'of no table: a TCP socket without a connection'
}

function shown(address = ''): string {
  const [host = '', port = ''] = address.split(':')
  const bytes = Buffer.from(host.slice(0, 8), 'hex').reverse()
  return `${[...bytes].join('.')}:${Number.parseInt(port, 16)}`
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
