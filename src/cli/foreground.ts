/**
 * `sluice start --foreground`: this process becomes the gateway. Holds the home's control socket, turns signals into
 * verbs of the gateway, and keeps the pid file; all else is the gateway's.
 */
import type { Gateway } from '../gateway.ts'
import { type Context, ok, reasonOf } from './command.ts'
import { claim, type Identity } from './control-socket.ts'
import { makeHome, markRunning, markStopped } from './home.ts'
import { oneAtATime } from './one-at-a-time.ts'

export const alreadyRunning = 'the old Sluice is still running, the new one will not start'
/** Service managers and terminals signal a whole group, and a launcher passes its copy on: that is one signal, not two. */
const sameSignalMs = 500

/** What a background instance tells the command that started it, over the IPC channel. */
export type Word = { readonly say: string } | { readonly failed: string } | { readonly ready: true }

export async function foreground(given: Context): Promise<number> {
  if (!given.daemon) return serve(given, async () => {})
  const tell = (word: Word): Promise<void> =>
    new Promise((resolve) => {
      if (process.connected && process.send) process.send(word, () => resolve())
      else resolve()
    })
  const say = (line: string): void => {
    given.say(line)
    void tell({ say: line })
  }
  try {
    return await serve({ ...given, say }, async () => {
      await tell({ ready: true })
      if (process.connected) process.disconnect?.()
    })
  } catch (error) {
    await tell({ failed: reasonOf(error) })
    throw error
  }
}

/** Resolves with the exit status when the gateway has ended. Rejects, with nothing left behind, when it did not start. */
async function serve(context: Context, ready: () => Promise<void>): Promise<number> {
  const { files, configFile, say, warn } = context
  let gateway: Gateway | undefined
  let state: Identity['state'] = 'starting'
  const running = (): Gateway => {
    if (gateway === undefined) throw new Error('Sluice is still starting')
    return gateway
  }
  const reload = oneAtATime(async () => running().reload())
  const identity = (): Identity => ({ pid: process.pid, state })

  for (const entry of makeHome(files)) say(`made ${entry}`)
  const release = await claim(files, { identity, reload, status: () => running().status() })
  if (release === undefined) throw new Error(alreadyRunning)

  const interrupted = Promise.withResolvers<never>()
  interrupted.promise.catch(() => {})
  let quitAt: number | undefined
  const end = (how: 'stop' | 'quit', why: string): void => {
    if (how === 'quit' && state === 'stopping') return
    if (gateway === undefined) interrupted.reject(new Error('stopped while starting'))
    else gateway[how]().catch((error) => warn(`${how} failed: ${reasonOf(error)}`))
    // An end that nobody remembers asking for must be told from one that just happened.
    say(`${why}: ${how === 'stop' ? 'stopping' : 'letting sessions end'}`)
    state = 'stopping'
  }
  const attempt = (what: string, work: () => Promise<unknown>): void => {
    work().then(
      () => say(`${what}: done`),
      (error) => warn(`${what} failed: ${reasonOf(error)}`),
    )
  }
  process.on('SIGTERM', () => end('stop', 'SIGTERM'))
  process.on('SIGINT', () => end('stop', 'SIGINT'))
  process.on('SIGQUIT', () => {
    const now = performance.now()
    if (quitAt !== undefined && now - quitAt < sameSignalMs) return
    end(quitAt === undefined ? 'quit' : 'stop', 'SIGQUIT')
    quitAt ??= now
  })
  process.on('SIGHUP', () => attempt('reload', reload))
  process.on('SIGUSR1', () => attempt('reopening logs', async () => running().reopenLogs()))
  process.on('SIGUSR2', () => warn('SIGUSR2: replacing the running program is not built; use restart'))
  // A launcher that was killed cannot pass signals on any more; nobody would be left who can.
  if (process.connected && !context.daemon) process.once('disconnect', () => end('stop', 'the launcher is gone'))

  try {
    const { startGateway } = await import('../gateway.ts')
    const starting = startGateway({ home: files.home, configFile, say })
    starting.catch(() => {})
    gateway = await Promise.race([starting, interrupted.promise])
    state = 'running'
    const warning = markRunning(files, configFile)
    if (warning !== undefined) warn(`warning: ${warning}`)
    await ready()
    await gateway.ended
    return ok
  } finally {
    markStopped(files)
    release()
  }
}
