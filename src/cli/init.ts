/** `sluice init`: makes the home folder and checks what is in it. */
import { readFileSync } from 'node:fs'
import { type Context, failed, ok } from './command.ts'
import { makeHome } from './home.ts'

const fewFiles = 1024

/** The process's limit of open files where the system tells it, else undefined. */
function openFileLimit(): number | undefined {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
}

export async function init(context: Context): Promise<number> {
  const { files, configFile, say, warn } = context
  const made = makeHome(files)
  for (const entry of made) say(`made ${entry}`)
  if (!made.includes(files.config)) say(`kept ${files.config}`)
  const limit = openFileLimit()
  if (limit !== undefined && limit <= fewFiles) warn(`the limit of open files is ${limit}: too few for a busy gateway`)
  const { checkConfiguration } = await import('../gateway.ts')
  const { warnings, errors } = await checkConfiguration({ home: files.home, configFile })
  for (const line of warnings) warn(`warning: ${line}`)
  for (const line of errors) warn(line)
  return errors.length === 0 ? ok : failed
}
