/** `sluice stop` and `sluice quit`: signal the running instance and wait until it is gone. */
import { after } from '../base/timers.ts'
import { type Context, failed, ok } from './command.ts'
import { connect, type Identity } from './control-socket.ts'

const answerTimeoutMs = 10_000
/** A stop that takes longer is stuck. A quit may take as long as `nginx_config.worker_shutdown_timeout` says. */
const stopTimeoutMs = 30_000

export function stop(context: Context): Promise<number> {
  return end(context, 'SIGTERM', stopTimeoutMs)
}

export function quit(context: Context): Promise<number> {
  return end(context, 'SIGQUIT', undefined)
}

/** Its pid comes from the living process itself, so the signal can hit nobody else. */
async function end({ files, warn }: Context, signal: NodeJS.Signals, timeoutMs: number | undefined): Promise<number> {
  const control = await connect(files)
  if (control === undefined) {
    warn('Sluice is not running')
    return failed
  }
  const { pid } = (await control.ask('identity', answerTimeoutMs)) as Identity
  process.kill(pid, signal)
  let gaveUp = false
  const timer = timeoutMs === undefined ? undefined : after(timeoutMs, giveUp)
  function giveUp(): void {
    gaveUp = true
    control?.close()
  }
  await control.gone
  timer?.cancel()
  if (gaveUp) warn(`process ${pid} has not ended within ${(timeoutMs ?? 0) / 1000} s`)
  return gaveUp ? failed : ok
}
