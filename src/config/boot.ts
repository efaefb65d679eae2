/**
 * config.yaml, laid over the defaults and checked: what the program knows before it knows any resource. Reads the file and the
 * environment that it is given, and writes nothing.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type BootDocument, readBootDocument } from './boot-document.ts'
import { isObject } from './boot-field.ts'
import { checkBootRules } from './boot-rules.ts'
import { type BootConf, bootSchema } from './boot-schema.ts'
import { at, ConfigError } from './config-error.ts'
import type { Environment } from './environment.ts'

export interface BootOptions {
  /** The directory that relative paths of the file start from. */
  readonly home: string
  /** Instead of `conf/config.yaml` (or `conf/config-<APISIX_PROFILE>.yaml`) below `home`. */
  readonly file?: string
  readonly env: Environment
}

export interface LoadedBoot {
  readonly conf: BootConf
  /** One sentence each, with file and line, for the log at start. */
  readonly warnings: readonly string[]
  /** Absolute path. */
  readonly file: string
  /** The file's text as it was read; empty where there is no file. */
  readonly text: string
  readonly home: string
  readonly env: Environment
}

/** The environment of this process, for those outside this folder who need to hand one over. */
export function processEnvironment(): Environment {
  return process.env
}

/** Throws ConfigError. A missing default file counts as an empty one; a missing file that was named does not. */
export function loadBootConf(options: BootOptions): LoadedBoot {
  const profile = options.env['APISIX_PROFILE'] ?? ''
  const file = resolve(options.home, options.file ?? profiledName('conf/config', profile))
  const text = readText(file, options.file === undefined && profile === '')
  const document = readBootDocument(text ?? '', file, options.env)
  const warnings = text === undefined ? [`${at({ file, line: undefined })}no such file: the defaults hold`] : []
  return { ...options, ...parse(document, file, options, warnings), file, text: text ?? '' }
}

/** `conf/apisix-dev.yaml` for the profile `dev`, `conf/apisix.yaml` without one. */
export function profiledName(stem: string, profile: string, ending = 'yaml'): string {
  return profile === '' ? `${stem}.${ending}` : `${stem}-${profile}.${ending}`
}

function parse(document: BootDocument, file: string, options: BootOptions, warnings: readonly string[]) {
  const raw = withEnvironment(document.value, file, options.env)
  const conf = bootSchema.read(raw, '', document)
  checkBootRules(conf, document, options.home)
  checkStandalone(conf, file, options.env)
  return { conf, warnings: [...warnings, ...document.warnings] }
}

/** The reserved variables of APISIX replace what the file says. */
function withEnvironment(value: unknown, file: string, env: Environment): unknown {
  let result = value
  const hosts = env['APISIX_DEPLOYMENT_ETCD_HOST']
  const workers = env['APISIX_WORKER_PROCESSES']
  if (hosts) result = withValue(result, ['deployment', 'etcd', 'host'], jsonValue(hosts, file))
  if (workers) result = withValue(result, ['nginx_config', 'worker_processes'], workers)
  return result
}

function withValue(tree: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const base = isObject(tree) ? tree : {}
  return { ...base, [key]: withValue(base[key], rest, value) }
}

function jsonValue(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const place = { file, path: 'deployment.etcd.host', line: undefined }
    throw new ConfigError(place, 'APISIX_DEPLOYMENT_ETCD_HOST is not a JSON array of addresses', cause)
  }
}

function readText(file: string, mayBeMissing: boolean): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (mayBeMissing && code === 'ENOENT') return undefined
    throw new ConfigError({ file, path: '', line: undefined }, `cannot be read: ${code ?? String(cause)}`, cause)
  }
}

function checkStandalone(conf: BootConf, file: string, env: Environment): void {
  if (env['APISIX_STAND_ALONE'] !== 'true') return
  const provider = configProvider(conf)
  if (provider === 'yaml' || provider === 'json') return
  const path = `deployment.role_${conf.deployment.role}.config_provider`
  throw new ConfigError({ file, path, line: undefined }, `APISIX_STAND_ALONE asks for yaml or json, got ${provider}`)
}

/** The provider of the role that this instance has. */
export function configProvider(conf: BootConf): 'embedded' | 'etcd' | 'yaml' | 'json' {
  const { deployment } = conf
  if (deployment.role === 'data_plane') return deployment.role_data_plane.config_provider
  if (deployment.role === 'control_plane') return deployment.role_control_plane.config_provider
  return deployment.role_traditional.config_provider
}
