/** `sluice restart`: test, stop, start; with the configuration file of the instance that runs unless another is given. */
import { type Context, ok } from './command.ts'
import { connect } from './control-socket.ts'
import { rememberedConfig } from './home.ts'
import { start } from './start.ts'
import { stop } from './stop.ts'
import { testConfiguration } from './test-configuration.ts'

export async function restart(given: Context): Promise<number> {
  // Read before the stop, which forgets it.
  const context = { ...given, configFile: given.configFile ?? rememberedConfig(given.files) }
  const tested = await testConfiguration(context)
  if (tested !== ok) return tested
  const running = await connect(context.files)
  running?.close()
  if (running !== undefined) {
    const stopped = await stop(context)
    if (stopped !== ok) return stopped
  }
  return start(context)
}
