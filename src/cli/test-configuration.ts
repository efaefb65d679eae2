/** `sluice test`: checks the configuration that a start would use, and starts nothing. */
import { type Context, failed, ok } from './command.ts'
import { rememberedConfig } from './home.ts'

export async function testConfiguration(context: Context): Promise<number> {
  const { files, say, warn } = context
  const { checkConfiguration } = await import('../gateway.ts')
  const configFile = context.configFile ?? rememberedConfig(files)
  const { warnings, errors } = await checkConfiguration({ home: files.home, configFile })
  for (const line of warnings) warn(`warning: ${line}`)
  for (const line of errors) warn(line)
  if (errors.length > 0) warn('configuration test failed')
  else say('configuration test is successful')
  return errors.length > 0 ? failed : ok
}
