/** All keys of config.yaml in one table, and the type of what is read from it. Sections are in the files beside it. */
import { apisix } from './boot-apisix.ts'
import { deployment } from './boot-deployment.ts'
import { anything, count, dictionary, type Read, refuse, section } from './boot-field.ts'
import { nginxConfig } from './boot-nginx.ts'
import { pluginAttributes, plugins, streamPlugins } from './boot-plugins.ts'
import { sluice } from './boot-sluice.ts'

const notOffered = (what: string) => `${what} not built in this version of Sluice`

export const bootSchema = section({
  apisix,
  nginx_config: nginxConfig,
  deployment,
  plugins,
  stream_plugins: streamPlugins,
  plugin_attr: pluginAttributes,
  graphql: section({ max_size: count(1_048_576) }),
  discovery: refuse(dictionary(anything({})), notOffered('service discovery is')),
  'ext-plugin': refuse(anything({}), notOffered('external plugin runners are')),
  wasm: refuse(anything({}), notOffered('WebAssembly plugins are')),
  xrpc: refuse(anything({}), notOffered('xrpc protocols are')),
  sluice,
})

/**
 * config.yaml with all defaults filled in: the file's own keys and units. Times such as `60s` and sizes such as `16k` are kept as
 * written; `millis()` and `bytes()` of units.ts read them.
 */
export type BootConf = Read<typeof bootSchema>
