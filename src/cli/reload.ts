/** `sluice reload`: asks the running instance to read its configuration again, and tells how that went. */
import { type Context, failed, ok, reasonOf } from './command.ts'
import { connect } from './control-socket.ts'

/** Longer than any source needs to answer; a reload that hangs must not hang a deployment. */
const reloadTimeoutMs = 120_000

export async function reload({ files, say, warn }: Context): Promise<number> {
  const control = await connect(files)
  if (control === undefined) {
    warn('Sluice is not running')
    return failed
  }
  try {
    const warnings = (await control.ask('reload', reloadTimeoutMs)) as readonly string[]
    for (const line of warnings) warn(`warning: ${line}`)
    say('reloaded')
    return ok
  } catch (error) {
    warn(`reload failed, the old configuration goes on: ${reasonOf(error)}`)
    return failed
  } finally {
    control.close()
  }
}
