/**
 * The unix socket by which the command line talks to the running instance: one JSON object per line, each way.
 * That somebody answers on it is the only proof of life: a pid may be stale or recycled. It carries no traffic.
 */

import { createHash } from 'node:crypto'
import { chmodSync, closeSync, openSync, rmSync } from 'node:fs'
import net from 'node:net'
import { platform, tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { HomeFiles } from './home.ts'

/** What fits into sockaddr_un on every platform, with its closing zero. */
const maxPathBytes = 103
const maxAskBytes = 4096
const maxAnswerBytes = 16 * 1024 * 1024
const maxConnections = 64

export type Ask = 'identity' | 'status' | 'reload'
export interface Identity {
  readonly pid: number
  readonly state: 'starting' | 'running' | 'stopping'
}
/** Answers must survive JSON. What is thrown reaches the asker as its message. */
export type ControlHandlers = Readonly<Record<Ask, () => unknown>>

/** A path that the system accepts for the socket, however deep its folder lies; `release` when it was used. */
interface Address {
  readonly path: string
  release(): void
}

function addressOf(file: string): Address {
  if (Buffer.byteLength(file) <= maxPathBytes) return { path: file, release: () => {} }
  if (platform() !== 'linux') {
    // macOS gives each user a temporary folder of his own, so nobody else can sit on the name.
    const name = createHash('sha256').update(file).digest('hex').slice(0, 16)
    return { path: path.join(tmpdir(), `sluice-${userInfo().uid}-${name}.sock`), release: () => {} }
  }
  const folder = openSync(path.dirname(file), 'r')
  return { path: `/proc/self/fd/${folder}/${path.basename(file)}`, release: () => closeSync(folder) }
}

/** Reads lines of bounded length; a longer one ends the connection. */
function onLines(socket: net.Socket, maxBytes: number, each: (line: string) => void): void {
  let held = ''
  socket.setEncoding('utf8')
  socket.on('data', (text: string) => {
    const lines = (held + text).split('\n')
    held = lines.pop() ?? ''
    for (const line of lines) each(line)
    if (held.length > maxBytes) socket.destroy()
  })
}

async function answer(line: string, handlers: ControlHandlers): Promise<string> {
  try {
    const { ask } = JSON.parse(line)
    if (!Object.hasOwn(handlers, ask)) throw new Error(`unknown request: ${ask}`)
    return JSON.stringify({ answer: (await handlers[ask as Ask]()) ?? null })
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) })
  }
}

function serve(socket: net.Socket, handlers: ControlHandlers): void {
  // The asker went away: nothing to tell anybody.
  socket.on('error', () => {})
  onLines(socket, maxAskBytes, async (line) => {
    const reply = await answer(line, handlers)
    if (socket.writable) socket.write(`${reply}\n`)
  })
}

async function listen(files: HomeFiles, handlers: ControlHandlers): Promise<() => void> {
  const server = net.createServer((socket) => serve(socket, handlers))
  server.maxConnections = maxConnections
  const address = addressOf(files.socket)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.path, resolve)
  })
  chmodSync(address.path, 0o600)
  // The control socket alone never keeps the process alive.
  server.unref()
  return () => {
    server.close()
    address.release()
  }
}

/**
 * Makes this process the instance of its home: true proof against a second one, even if both start at the same moment.
 * Resolves with how to give it up, or with undefined when another instance is alive. A stale socket is taken over.
 * Connections stay open until the process ends, which is how askers see its end.
 */
export async function claim(files: HomeFiles, handlers: ControlHandlers): Promise<(() => void) | undefined> {
  // The lock is the kernel's, on a file: it is gone with the process that held it, whatever ended that.
  const lock = new DatabaseSync(files.lock)
  try {
    lock.exec('PRAGMA busy_timeout = 10000; BEGIN EXCLUSIVE')
    const other = await connect(files)
    other?.close()
    if (other !== undefined) return undefined
    const address = addressOf(files.socket)
    rmSync(address.path, { force: true })
    address.release()
    return await listen(files, handlers)
  } finally {
    lock.close()
  }
}

export interface Control {
  /** Rejects with what the other side said, or when it said nothing in time. One question at a time. */
  ask(what: Ask, timeoutMs: number): Promise<unknown>
  /** Resolves when the other process is gone. */
  readonly gone: Promise<void>
  close(): void
}

/** A connection to the running instance of that home; undefined: there is none. */
export async function connect(files: HomeFiles): Promise<Control | undefined> {
  let address: Address
  try {
    address = addressOf(files.socket)
  } catch {
    return undefined
  }
  const socket = net.connect(address.path)
  const open = await new Promise<boolean>((resolve, reject) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Nobody listens, or there never was a socket: anything else (no permission) must not pass for "not running".
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT' || error.code === 'ENOTDIR') resolve(false)
      else reject(new Error(`the control socket ${files.socket} cannot be used: ${error.message}`))
    })
  }).finally(() => address.release())
  return open ? control(socket) : undefined
}

function control(socket: net.Socket): Control {
  let waiting: { resolve(value: unknown): void; reject(error: Error): void } | undefined
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('error', () => {})
  gone.then(() => waiting?.reject(new Error('Sluice ended before it answered')))
  onLines(socket, maxAnswerBytes, (line) => {
    const reply = JSON.parse(line)
    if (reply.error === undefined) waiting?.resolve(reply.answer)
    else waiting?.reject(new Error(reply.error))
  })
  return {
    gone,
    close: () => socket.destroy(),
    ask: (what, timeoutMs) =>
      new Promise<unknown>((resolve, reject) => {
        waiting = { resolve, reject }
        socket.setTimeout(timeoutMs, () => reject(new Error(`Sluice did not answer within ${timeoutMs / 1000} s`)))
        socket.write(`${JSON.stringify({ ask: what })}\n`)
      }).finally(() => {
        waiting = undefined
        socket.setTimeout(0)
      }),
  }
}
