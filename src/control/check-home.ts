/** What `sluice test` looks at: config.yaml and the resources, as far as they can be read without starting anything. */
import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { configProvider, type LoadedBoot, loadBootConf, processEnvironment } from '../config/boot.ts'
import { peekDatabase } from '../config/embedded-peek.ts'
import { createSource } from '../config/index.ts'
import { MemoryStore } from '../config/resource-store.ts'
import type { Resource } from '../config/store.ts'
import { silentLog } from '../observability/log.ts'
import { createCatalogue } from '../plugin/catalogue.ts'
import type { AnyPlugin } from '../plugin/plugin.ts'
import { kinds } from '../resources/index.ts'
import { danglingReference } from '../resources/references.ts'
import { createResourceCheck, type ResourceCheck } from '../snapshot/check.ts'
import { enabledNames, loadExtraPlugins } from '../threads/extra-plugins.ts'
import { configuredWire, workerConf } from '../threads/worker-conf.ts'

export interface Findings {
  readonly warnings: string[]
  readonly errors: string[]
}

export interface CheckHomeOptions {
  readonly home: string
  readonly configFile: string | undefined
  readonly plugins: readonly AnyPlugin[]
}

/** Never rejects: what cannot be read is an error among the findings. */
export async function checkHome({ home, configFile, plugins }: CheckHomeOptions): Promise<Findings> {
  const findings: Findings = { warnings: [], errors: [] }
  try {
    const env = processEnvironment()
    const boot = loadBootConf(configFile === undefined ? { home, env } : { home, file: configFile, env })
    findings.warnings.push(...boot.warnings)
    accessSync(home, constants.W_OK)
    configuredWire(boot.conf)
    const extra = await loadExtraPlugins(workerConf(home, boot.conf).extraPlugins)
    await checkResources(boot, plugins, extra, findings)
  } catch (error) {
    findings.errors.push(error instanceof Error ? error.message : String(error))
  }
  return findings
}

async function checkResources(
  boot: LoadedBoot,
  plugins: readonly AnyPlugin[],
  extra: readonly AnyPlugin[],
  findings: Findings,
): Promise<void> {
  const { conf, env } = boot
  const catalogue = createCatalogue({ built: [...plugins, ...extra], ...enabledNames(conf, extra) })
  const store: MemoryStore = new MemoryStore({ check: (...args) => check.checkLoaded(...args), log: silentLog })
  const check: ResourceCheck = createResourceCheck({
    kinds,
    catalogue,
    lookup: store,
    keyring: conf.apisix.data_encryption.keyring,
    pluginKeyring: configProvider(conf) === 'embedded' ? conf.apisix.data_encryption.keyring : [],
    passesOverPlugins: configProvider(conf) === 'embedded',
    environment: (name) => env[name],
  })
  const provider = configProvider(conf)
  if (provider === 'etcd') {
    findings.warnings.push('the resources are in etcd, which is not asked before the start')
    return
  }
  if (provider === 'embedded') store.replace(peekDatabase(resolve(boot.home, conf.sluice.data)), 0)
  else await readFile(boot, store)
  for (const { kind, id, reason } of store.rejected.values()) findings.errors.push(`${kind}/${id}: ${reason}`)
  for (const kind of kinds) {
    for (const resource of store.all(kind.name)) {
      const fault = dangling(kind, resource, store)
      if (fault !== undefined) findings.warnings.push(`${resource.kind}/${resource.id}: ${fault}`)
    }
  }
}

function dangling(kind: (typeof kinds)[number], resource: Resource, store: MemoryStore): string | undefined {
  return danglingReference(kind, resource.value, store)
}

async function readFile(boot: LoadedBoot, store: MemoryStore): Promise<void> {
  const stop = new AbortController()
  const source = createSource(boot, silentLog)
  try {
    await source.follow(store, stop.signal)
  } finally {
    stop.abort()
    await source.close()
  }
}
