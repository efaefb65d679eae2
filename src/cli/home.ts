/** The files of one home folder that the command line uses, and making them. What is in config.yaml is read elsewhere. */
import { chmodSync, constants, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { packageRoot } from './package.ts'

export interface HomeFiles {
  /** The folder itself; absolute. */
  readonly home: string
  readonly config: string
  readonly pid: string
  readonly socket: string
  /** Held only while an instance claims the socket. */
  readonly lock: string
  /** What a background instance writes to its terminal, which it does not have. */
  readonly console: string
  /** Holds the path given by `start -c`, for as long as that instance runs. */
  readonly customized: string
}

export function homeFiles(home: string): HomeFiles {
  const conf = path.join(home, 'conf')
  const logs = path.join(home, 'logs')
  return {
    home,
    config: path.join(conf, 'config.yaml'),
    pid: path.join(logs, 'nginx.pid'),
    socket: path.join(logs, 'sluice.sock'),
    lock: path.join(logs, 'sluice.lock'),
    console: path.join(logs, 'console.log'),
    customized: path.join(conf, '.customized_config_path'),
  }
}

/**
 * Makes what is missing of conf/, logs/ and data/, and a config.yaml from the shipped one, readable by its owner alone
 * because keys are written into it. Returns what it made.
 */
export function makeHome(files: HomeFiles): string[] {
  const made: string[] = []
  for (const folder of [path.dirname(files.config), path.dirname(files.pid), path.join(files.home, 'data')]) {
    if (mkdirSync(folder, { recursive: true }) !== undefined) made.push(folder)
  }
  if (existsSync(files.config)) return made
  try {
    copyFileSync(path.join(packageRoot, 'conf', 'config.default.yaml'), files.config, constants.COPYFILE_EXCL)
  } catch (error) {
    // Another start at the same moment has made it.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return made
    throw error
  }
  chmodSync(files.config, 0o600)
  return [...made, files.config]
}

/** The file that the running or last instance was started with by `-c`; undefined: the home's own. */
export function rememberedConfig(files: HomeFiles): string | undefined {
  try {
    return readFileSync(files.customized, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}

/** Called when an instance is in service. A conf/ that cannot be written is no reason not to serve; returns a warning then. */
export function markRunning(files: HomeFiles, configFile: string | undefined): string | undefined {
  writeFileSync(files.pid, `${process.pid}\n`)
  try {
    if (configFile === undefined) rmSync(files.customized, { force: true })
    else writeFileSync(files.customized, `${configFile}\n`)
    return undefined
  } catch (error) {
    return `restart will not know ${configFile ?? files.config}: ${error instanceof Error ? error.message : error}`
  }
}

/** Takes back what `markRunning` wrote, unless another process has written over it. */
export function markStopped(files: HomeFiles): void {
  try {
    if (readFileSync(files.pid, 'utf8').trim() !== String(process.pid)) return
    rmSync(files.pid, { force: true })
    rmSync(files.customized, { force: true })
  } catch {
    // Gone already, or a folder that is no longer writable: the next start does not rely on either file.
  }
}
