/** The keys under `apisix:` in config.yaml. Cross-field rules (port conflicts) are in boot-rules.ts. */
import {
  accept,
  anything,
  count,
  either,
  type Field,
  flag,
  isObject,
  list,
  map,
  notBuilt,
  oneOf,
  optional,
  port,
  refuse,
  section,
  size,
  text,
  time,
} from './boot-field.ts'

const lua = 'Lua code cannot run in Sluice; write the plugin in TypeScript and name it in extra_plugins'
const noHttp2 = 'HTTP/2 is not built in this version of Sluice'
const noCache = 'proxy-cache is not built in this version of Sluice'
const proxyProtocol = 'the PROXY protocol is not built in this version of Sluice'

const isNumber = (raw: unknown) => typeof raw === 'number'
const isText = (raw: unknown) => typeof raw === 'string'

const httpListener = section({
  ip: optional(text('')),
  port: port(9080),
  enable_http2: refuse(optional(flag(true)), 'moved to apisix.enable_http2'),
})

/** A listener of `node_listen` or `ssl.listen` written as an object. */
export interface HttpListenEntry {
  readonly ip: string | undefined
  readonly port: number
}

type NodeListen = number | readonly (number | HttpListenEntry)[]

type Listen = number | string | ListenEntry
/** A listener of `stream_proxy` written as an object. `addr` is a port, `ip:port` or a range of ports. */
export interface ListenEntry {
  readonly addr: number | string
  readonly tls: boolean
}

const addr = either<number | string>('', 'port or address', [isNumber, isText], [port(0), text('')])
const listenEntry = section({
  addr,
  tls: flag(false),
  proxy_protocol: refuse(flag(false), proxyProtocol),
  proxy_protocol_to_upstream: refuse(flag(false), proxyProtocol),
})
const listen: Field<Listen> = either<Listen>(
  0,
  'port, address or object',
  [isNumber, isText, isObject],
  [port(0), text(''), listenEntry],
)

const zone = section({
  name: text(''),
  memory_size: size('50m'),
  disk_size: optional(size('1G')),
  disk_path: optional(text('')),
  cache_levels: optional(text('')),
})

export const apisix = section({
  node_listen: either<NodeListen>(
    [9080],
    'port or list of ports',
    [isNumber, Array.isArray],
    [
      port(9080),
      list(either<number | HttpListenEntry>(9080, 'port or object', [isNumber, isObject], [port(9080), httpListener])),
    ],
  ),
  enable_admin: flag(true),
  enable_dev_mode: flag(false),
  enable_reuseport: flag(true),
  show_upstream_status_in_response_header: flag(false),
  enable_ipv6: flag(true),
  enable_http2: notBuilt(flag(true), noHttp2),
  proxy_protocol: section({
    listen_http_port: refuse(optional(port(0)), proxyProtocol),
    listen_https_port: refuse(optional(port(0)), proxyProtocol),
    enable_tcp_pp: refuse(flag(false), proxyProtocol),
    enable_tcp_pp_to_upstream: refuse(flag(false), proxyProtocol),
  }),
  enable_server_tokens: flag(true),
  extra_lua_path: refuse(text(''), lua),
  extra_lua_cpath: refuse(text(''), lua),
  lua_module_hook: refuse(text(''), lua),
  proxy_cache: notBuilt(section({ cache_ttl: time('10s'), zones: list(zone) }), noCache),
  delete_uri_tail_slash: flag(false),
  normalize_uri_like_servlet: flag(false),
  match_uri_encoded_slash: flag(false),
  max_post_args_readable_size: count(64),
  router: section({
    http: oneOf('radixtree_host_uri', ['radixtree_host_uri', 'radixtree_uri', 'radixtree_uri_with_parameter']),
    ssl: oneOf('radixtree_sni', ['radixtree_sni']),
  }),
  proxy_mode: oneOf('http', ['http', 'stream', 'http&stream']),
  stream_proxy: section({
    tcp: list(listen),
    udp: list(either<Listen>(0, 'port or address', [isNumber, isText], [port(0), text('')])),
  }),
  dns_resolver: list(text('')),
  dns_resolver_valid: optional(count(0)),
  resolver_timeout: count(5, { min: 1 }),
  enable_resolv_search_opt: flag(true),
  ssl: section({
    enable: flag(true),
    listen: list<HttpListenEntry>(
      section({
        ip: optional(text('')),
        port: port(9443),
        enable_http3: refuse(flag(false), 'HTTP/3 is not built in this version of Sluice'),
        enable_http2: refuse(optional(flag(true)), 'moved to apisix.enable_http2'),
      }),
      [{ ip: undefined, port: 9443 }],
    ),
    ssl_protocols: text('TLSv1.2 TLSv1.3', /^\s*TLSv1\.[23](\s+TLSv1\.[23])?\s*$/, 'TLSv1.2, TLSv1.3 or both'),
    ssl_ciphers: text(
      'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384',
    ),
    ssl_session_tickets: flag(false),
    ssl_trusted_certificate: text('system'),
    fallback_sni: optional(text('')),
  }),
  enable_control: flag(true),
  control: section({ ip: text('127.0.0.1'), port: port(9090), router: accept(optional(text(''))) }),
  status: optional(section({ ip: text('127.0.0.1'), port: port(7085) })),
  disable_upstream_healthcheck: flag(false),
  trusted_addresses: optional(list(text(''))),
  disable_sync_configuration_during_start: accept(flag(false)),
  worker_startup_time_threshold: accept(count(60)),
  data_encryption: section({
    enable_encrypt_fields: flag(true),
    keyring: map(
      either<readonly string[]>(
        ['qeddd145sfvddff3', 'edd1c9f0985e76a2'],
        'text or list of texts',
        [isText, Array.isArray],
        [one(encryptionKey()), list(encryptionKey())],
      ),
    ),
  }),
  lru: section({
    secret: section({ ttl: count(300), count: count(512), neg_ttl: count(60), neg_count: count(512) }),
  }),
  tracing: notBuilt(flag(false), 'spans inside a request are not built in this version of Sluice'),
  id: optional(either<string>('', 'text or number', [isText, isNumber], [text(''), numberAsText()])),
  events: accept(anything({})),
})

/** AES-128 takes 16 bytes, AES-256 takes 32; the key itself stays out of the message. */
function encryptionKey(): Field<string> {
  const inner = text('')
  return {
    ...inner,
    read(raw, path, reading) {
      const value = inner.read(raw, path, reading)
      const length = Buffer.byteLength(value)
      return length === 16 || length === 32 ? value : reading.fail(path, `expected 16 or 32 bytes, got ${length}`)
    },
  }
}

function one<T>(inner: Field<T>): Field<readonly T[]> {
  return { ...inner, fallback: [], read: (raw, path, reading) => [inner.read(raw, path, reading)] }
}

function numberAsText(): Field<string> {
  return { ...text(''), read: (raw) => String(raw) }
}
