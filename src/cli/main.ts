/** The command line's entry: reads the arguments, runs one command, sets the exit status. Modules of a command load when it runs. */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { defaultHome } from '../config/home.ts'
import { type Command, type Context, failed, ok, reasonOf } from './command.ts'
import { homeFiles } from './home.ts'
import { checkout, version } from './package.ts'
import { usage } from './usage.ts'

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./init.ts')).init,
  start: async () => (await import('./start.ts')).start,
  stop: async () => (await import('./stop.ts')).stop,
  quit: async () => (await import('./stop.ts')).quit,
  restart: async () => (await import('./restart.ts')).restart,
  reload: async () => (await import('./reload.ts')).reload,
  status: async () => (await import('./status.ts')).status,
  test: async () => (await import('./test-configuration.ts')).testConfiguration,
}

const options = {
  config: { type: 'string', short: 'c' },
  home: { type: 'string' },
  foreground: { type: 'boolean' },
  daemon: { type: 'boolean' },
  json: { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const write = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`${line}\n`)

function invalid(argument: string): number {
  complain(`invalid argument: ${argument}\n`)
  complain(usage)
  return failed
}

async function run(args: readonly string[]): Promise<number> {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const known = options[token.name as keyof typeof options]
    if (known === undefined || (known.type === 'boolean') !== (token.value === undefined)) return invalid(token.rawName)
    // The next option is not this one's value.
    if (token.value === '' || (token.inlineValue === false && token.value.startsWith('-')))
      return invalid(token.rawName)
  }
  const [action, extra] = tokens.filter((token) => token.kind === 'positional').map((token) => token.value)
  if (extra !== undefined) return invalid(extra)
  if (action === 'version' || (action === undefined && (values.version || values.verbose))) {
    write(version)
    return ok
  }
  if (action === undefined || action === 'help' || values.help) {
    write(usage)
    return ok
  }
  const load = Object.hasOwn(commands, action) ? commands[action] : undefined
  if (load === undefined) return invalid(action)
  const text = (value: string | boolean | undefined): string | undefined =>
    typeof value === 'string' ? path.resolve(value) : undefined
  const context: Context = {
    files: homeFiles(text(values.home) ?? defaultHome(checkout)),
    configFile: text(values.config),
    json: values.json === true,
    foreground: values.foreground === true,
    daemon: values.daemon === true,
    say: write,
    warn: complain,
  }
  return (await load())(context)
}

/** What a command leaves open (a thread that hangs, a child that lives on) must not keep this process. */
async function exitStatus(): Promise<number> {
  try {
    return await run(process.argv.slice(2))
  } catch (error) {
    complain(`sluice: ${reasonOf(error)}`)
    return failed
  }
}

process.exit(await exitStatus())
