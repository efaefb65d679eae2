/** The configuration sources, and which of them the boot file asks for. */
import { resolve } from 'node:path'
import type { Log } from '../observability/log.ts'
import { ApiDrivenSource } from './api-driven.ts'
import { configProvider, type LoadedBoot, profiledName } from './boot.ts'
import { EmbeddedSource } from './embedded.ts'
import { EtcdSource } from './etcd.ts'
import { etcdOptions } from './etcd-client.ts'
import { FileSource } from './file.ts'
import type { ConfigSource } from './source.ts'

/**
 * The source of `deployment.role_*.config_provider`; `yaml` of a traditional instance is fed by its Admin API. Throws
 * ConfigError where the embedded database cannot be opened. Nothing is read before `follow`.
 */
export function createSource(loaded: LoadedBoot, log: Log): ConfigSource {
  const { conf, home, env } = loaded
  const provider = configProvider(conf)
  switch (provider) {
    case 'embedded':
      return new EmbeddedSource({ file: resolve(home, conf.sluice.data), history: conf.sluice.limits.history })
    case 'etcd':
      return new EtcdSource({
        ...etcdOptions(loaded),
        writable: conf.deployment.role !== 'data_plane',
        lastGood: resolve(home, 'data/last-good.json'),
        log,
      })
    case 'yaml':
    case 'json': {
      if (provider === 'yaml' && conf.deployment.role === 'traditional') return new ApiDrivenSource()
      const file = resolve(home, profiledName('conf/apisix', env['APISIX_PROFILE'] ?? '', provider))
      return new FileSource({ file, format: provider, env, log })
    }
  }
}
