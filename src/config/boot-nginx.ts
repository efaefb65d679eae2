/** The keys under `nginx_config:` in config.yaml, as far as something in Sluice corresponds to them. */
import {
  accept,
  anything,
  count,
  dictionary,
  either,
  type Field,
  flag,
  list,
  map,
  notBuilt,
  oneOf,
  optional,
  section,
  size,
  text,
  time,
} from './boot-field.ts'

const levels = ['stderr', 'debug', 'info', 'notice', 'warn', 'error', 'crit', 'alert', 'emerg'] as const
const escapes = ['default', 'json', 'none'] as const

/** nginx text cannot be run; comments and blanks alone ask for nothing. */
const snippet: Field<string> = {
  ...text(''),
  disposition: 'refuse',
  note: 'nginx configuration text cannot run in Sluice',
  read(raw, path, reading) {
    if (raw === null) return ''
    const value = text('').read(raw, path, reading)
    return value.split('\n').every((line) => /^\s*(#.*)?$/.test(line)) ? '' : value
  },
}

const accessLogFormat =
  '$remote_addr - $remote_user [$time_local] $http_host "$request" $status $body_bytes_sent $request_time "$http_referer" "$http_user_agent" $upstream_addr $upstream_status $upstream_response_time "$upstream_scheme://$upstream_host$upstream_uri" "$apisix_request_id"'

/** It stands in Content-Type as it is: a token, and so no control character. [RFC 9110 §8.3.2] */
const charsetName = /^[\w!#$%&'*+.^`|~-]*$/

const sharedDicts = accept(dictionary(size('1m')))

export const nginxConfig = section({
  user: optional(text('')),
  error_log: text('logs/error.log'),
  error_log_level: oneOf('warn', levels),
  worker_processes: map(
    either<number | 'auto'>(
      'auto',
      'auto or a number',
      [(raw) => raw === 'auto', (raw) => typeof raw === 'number' || typeof raw === 'string'],
      [oneOf('auto', ['auto']), count(1, { min: 1, max: 1024 })],
    ),
  ),
  enable_cpu_affinity: accept(flag(false)),
  worker_rlimit_nofile: accept(count(20_480), ': set the limit of the process instead'),
  worker_shutdown_timeout: time('240s'),
  max_pending_timers: accept(count(16_384)),
  max_running_timers: accept(count(4096)),
  event: section({ worker_connections: count(10_620, { min: 1 }) }),
  envs: accept(optional(list(text(''))), ': the whole environment is inherited'),
  meta: section({ lua_shared_dict: sharedDicts }),
  stream: section({
    real_ip_from: list(text('')),
    enable_access_log: flag(false),
    access_log: text('logs/access_stream.log'),
    access_log_format: text('$remote_addr [$time_local] $protocol $status $bytes_sent $bytes_received $session_time'),
    access_log_format_escape: oneOf('default', escapes),
    metrics_zone_size: accept(size('1m')),
    lua_shared_dict: sharedDicts,
  }),
  main_configuration_snippet: snippet,
  http_configuration_snippet: snippet,
  http_server_configuration_snippet: snippet,
  http_server_location_configuration_snippet: snippet,
  http_admin_configuration_snippet: snippet,
  http_end_configuration_snippet: snippet,
  stream_configuration_snippet: snippet,
  http: section({
    enable_access_log: flag(true),
    access_log: text('logs/access.log'),
    access_log_buffer: count(16_384),
    access_log_format: text(accessLogFormat),
    access_log_format_escape: oneOf('default', escapes),
    keepalive_timeout: time('60s'),
    client_header_timeout: time('60s'),
    client_body_timeout: time('60s'),
    send_timeout: time('10s'),
    client_max_body_size: size(0),
    underscores_in_headers: anything<boolean | string>('on'),
    real_ip_header: text('X-Real-IP'),
    real_ip_recursive: anything<boolean | string>('off'),
    real_ip_from: list(text(''), ['127.0.0.1', 'unix:']),
    proxy_ssl_server_name: flag(true),
    upstream: section({ keepalive: count(320), keepalive_requests: count(1000), keepalive_timeout: time('60s') }),
    charset: text('utf-8', charsetName, 'the name of a character set, or off'),
    variables_hash_max_size: count(2048),
    lua_shared_dict: dictionary(size('1m')),
    custom_lua_shared_dict: dictionary(size('1m')),
  }),
  http2_max_concurrent_streams: notBuilt(optional(count(128)), 'HTTP/2 is not built in this version of Sluice'),
})
