/**
 * Whether a port can be had, asked before the workers share it: sockets that share a port would also share it with a stranger of
 * the same user. And who has it, where the system tells.
 */
import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'

/** Binds the port alone, and gives it up again. Resolves with the system's error when that fails. */
export function probePort(
  transport: 'tcp' | 'udp',
  host: string,
  port: number,
): Promise<NodeJS.ErrnoException | undefined> {
  if (transport === 'udp') {
    return new Promise((resolve) => {
      const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' })
      socket.once('error', (error) => {
        socket.close()
        resolve(error)
      })
      socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)))
    })
  }
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', resolve)
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** The process that holds a local port, as `nginx (pid 812)`; undefined where it cannot be read. Linux only. */
export function portHolder(transport: 'tcp' | 'udp', port: number): string | undefined {
  const inodes = new Set<string>()
  for (const table of [transport, `${transport}6`]) {
    for (const inode of socketInodes(`/proc/net/${table}`, transport, port)) inodes.add(`socket:[${inode}]`)
  }
  if (inodes.size === 0) return undefined
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    for (const fd of list(`/proc/${pid}/fd`)) {
      try {
        if (inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`))) {
          return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
        }
      } catch {
        // The descriptor or the process went away while we looked.
      }
    }
  }
  return undefined
}

function socketInodes(table: string, transport: 'tcp' | 'udp', port: number): string[] {
  const inodes: string[] = []
  let text: string
  try {
    text = readFileSync(table, 'utf8')
  } catch {
    return inodes
  }
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const listening = transport === 'tcp' ? '0A' : '07'
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/)
    if (fields[1]?.endsWith(suffix) && fields[3] === listening && fields[9] !== undefined) inodes.push(fields[9])
  }
  return inodes
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
