/** `sluice start`: starts the gateway as a process of its own, waits until it serves or says why it does not. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync } from 'node:fs'
import path from 'node:path'
import { type Context, ok } from './command.ts'
import { connect } from './control-socket.ts'
import { alreadyRunning, foreground, type Word } from './foreground.ts'
import { makeHome } from './home.ts'
import { version } from './package.ts'

export async function start(context: Context): Promise<number> {
  if (context.foreground) return foreground(context)
  const { files, say } = context
  const other = await connect(files)
  other?.close()
  if (other !== undefined) throw new Error(alreadyRunning)
  for (const entry of makeHome(files)) say(`made ${entry}`)

  const child = spawnDaemon(context)
  // Until it serves, an interrupt of this command is one of the start.
  const interrupt = (): void => void child.kill('SIGTERM')
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  await ready(child, context)
  say(`Sluice ${version} is running in the background (pid ${child.pid})`)
  return ok
}

/** The same program under the same Node, in a session of its own; its words go to logs/console.log. */
function spawnDaemon({ files, configFile }: Context): ChildProcess {
  // The run before this one is kept: its last words may say why it ended.
  if (existsSync(files.console)) renameSync(files.console, `${files.console}.1`)
  const output = openSync(files.console, 'a', 0o600)
  const main = path.join(import.meta.dirname, `main${path.extname(import.meta.filename)}`)
  const args = ['start', '--foreground', '--daemon', '--home', files.home]
  if (configFile !== undefined) args.push('-c', configFile)
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    cwd: files.home,
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  })
  closeSync(output)
  return child
}

/** Resolves when the child serves; rejects with its reason, after it has ended. */
function ready(child: ChildProcess, { files, say }: Context): Promise<void> {
  return new Promise((resolve, reject) => {
    let reason: string | undefined
    child.on('message', (word: Word) => {
      if ('say' in word) say(word.say)
      else if ('failed' in word) reason = word.failed
      else {
        child.unref()
        resolve()
      }
    })
    child.on('error', reject)
    child.on('exit', (status, signal) => {
      const how = signal === null ? `with status ${status}` : `by ${signal}`
      reject(new Error(reason ?? `Sluice ended ${how} while starting\n${lastLines(files.console)}`.trimEnd()))
    })
  })
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
}
