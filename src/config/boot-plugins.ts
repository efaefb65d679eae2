/** Which plugins are switched on by default, and `plugin_attr`, the static attributes of some of them. */
import type { Json } from '../base/json.ts'
import { anything, count, dictionary, type Field, flag, isObject, list, port, section, text } from './boot-field.ts'

/** In order of priority, as in APISIX 3.18. */
export const defaultPlugins: readonly string[] = `
  real-ip ai client-control proxy-buffering proxy-control request-id zipkin ext-plugin-pre-req fault-injection mocking
  serverless-pre-function cors ip-restriction ua-restriction referer-restriction csrf uri-blocker request-validation
  chaitin-waf multi-auth openid-connect saml-auth cas-auth authz-casbin authz-casdoor wolf-rbac ldap-auth-advanced
  ldap-auth hmac-auth basic-auth jwt-auth jwe-decrypt key-auth dingtalk-auth feishu-auth acl consumer-restriction
  attach-consumer-label forward-auth opa authz-keycloak data-mask proxy-cache body-transformer ai-request-rewrite
  ai-prompt-guard ai-prompt-template ai-prompt-decorator ai-rag ai-proxy-multi ai-proxy ai-cache
  ai-aws-content-moderation ai-rate-limiting ai-aliyun-content-moderation ai-lakera-guard proxy-mirror
  graphql-proxy-cache proxy-rewrite workflow api-breaker graphql-limit-count limit-conn limit-count limit-req gzip
  traffic-label traffic-split redirect response-rewrite oas-validator mcp-bridge degraphql kafka-proxy grpc-transcode
  grpc-web http-dubbo public-api prometheus datadog lago loki-logger elasticsearch-logger echo loggly http-logger
  splunk-hec-logging skywalking-logger google-cloud-logging sls-logger tcp-logger kafka-logger rocketmq-logger syslog
  udp-logger file-logger clickhouse-logger tencent-cloud-cls inspect example-plugin aws-lambda azure-functions
  openwhisk openfunction serverless-post-function ext-plugin-post-req ext-plugin-post-resp
`
  .trim()
  .split(/\s+/)

export const defaultStreamPlugins: readonly string[] = [
  'ip-restriction',
  'limit-conn',
  'mqtt-proxy',
  'syslog',
  'traffic-split',
]

export const plugins = list(text(''), defaultPlugins)
export const streamPlugins = list(text(''), defaultStreamPlugins)

/** What Sluice itself reads; the metric of `metrics` is the key, `expire` seconds, 0: never. */
const prometheus = section({
  export_uri: text('/apisix/prometheus/metrics', /^\//, 'a path'),
  metric_prefix: text('apisix_'),
  enable_export_server: flag(true),
  export_addr: section({ ip: text('127.0.0.1'), port: port(9091) }),
  refresh_interval: count(15),
  metrics: dictionary(
    section({ expire: count(0), extra_labels: list(anything<Json>({})), buckets: list(anything<Json>(0)) }),
  ),
  default_buckets: list(anything<Json>(0)),
  llm_latency_buckets: list(anything<Json>(0)),
  llm_prompt_tokens_buckets: list(anything<Json>(0)),
  llm_completion_tokens_buckets: list(anything<Json>(0)),
})

const logRotate = section({
  timeout: count(10_000),
  interval: count(3600, { min: 1 }),
  max_kept: count(168),
  max_size: { ...anything<Json>(-1), fallback: -1 as Json },
  enable_compression: flag(false),
})

type Prometheus = (typeof prometheus)['fallback']
type LogRotate = (typeof logRotate)['fallback']

export interface PluginAttributes {
  readonly prometheus: Prometheus
  readonly 'log-rotate': LogRotate
  /** Attributes of any other plugin, as the file has them. */
  readonly [plugin: string]: unknown
}

const defaults: PluginAttributes = {
  prometheus: prometheus.fallback,
  'log-rotate': logRotate.fallback,
  'server-info': { report_ttl: 60 },
  'proxy-mirror': { timeout: { connect: '60s', read: '60s', send: '60s' } },
  'dubbo-proxy': { upstream_multiplex_count: 32 },
  'batch-requests': { uri: '/apisix/batch-requests' },
  inspect: { delay: 3 },
  zipkin: { set_ngx_var: false },
}

/** Names are open (a user's own plugin has attributes too); what an attribute of another plugin means is its business. */
export const pluginAttributes: Field<PluginAttributes> = {
  disposition: 'yes',
  note: '',
  fallback: defaults,
  read(raw, path, reading) {
    if (raw === null) return defaults
    if (!isObject(raw)) return reading.fail(path, 'expected object')
    const result: Record<string, unknown> & { prometheus: Prometheus; 'log-rotate': LogRotate } = { ...defaults }
    for (const [name, value] of Object.entries(raw)) {
      if (name === 'prometheus') result.prometheus = prometheus.read(value, `${path}.${name}`, reading)
      else if (name === 'log-rotate') result['log-rotate'] = logRotate.read(value, `${path}.${name}`, reading)
      else if (value === null) delete result[name]
      else result[name] = merged(result[name], value)
    }
    return result
  },
}

function merged(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete result[key]
    else result[key] = merged(base[key], value)
  }
  return result
}
