// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text in question looks like one
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { type BootOptions, configProvider, loadBootConf } from '../../../../src/config/boot.ts'
import { ConfigError } from '../../../../src/config/config-error.ts'

type Load = (text: string, options?: Partial<BootOptions>) => ReturnType<typeof loadBootConf>

function loader(context: TestContext): Load & { readonly home: string } {
  const home = mkdtempSync(path.join(tmpdir(), 'sluice-boot-'))
  context.after(() => rmSync(home, { recursive: true }))
  mkdirSync(path.join(home, 'conf'))
  const load: Load = (text, options = {}) => {
    writeFileSync(path.join(home, 'conf/config.yaml'), text)
    return loadBootConf({ home, env: {}, ...options })
  }
  return Object.assign(load, { home })
}

/** The message of the failure. */
function failure(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.message
  }
  throw new Error('it did not fail')
}

test('an empty file and a missing one give the defaults', (context) => {
  const load = loader(context)
  const { conf, warnings } = load('# nothing\n')
  assert.deepEqual(warnings, [])
  assert.equal(conf.apisix.proxy_mode, 'http')
  assert.deepEqual(conf.apisix.node_listen, [9080])
  assert.deepEqual(conf.apisix.ssl.listen, [{ ip: undefined, port: 9443 }])
  assert.equal(configProvider(conf), 'embedded')
  assert.deepEqual(conf.deployment.admin.admin_listen, { ip: '127.0.0.1', port: 9180 })
  assert.equal(conf.plugins.length, 107)
  assert.deepEqual(conf.stream_plugins, ['ip-restriction', 'limit-conn', 'mqtt-proxy', 'syslog', 'traffic-split'])
  assert.equal(conf.plugin_attr.prometheus.export_addr.port, 9091)
  assert.equal(conf.apisix.status, undefined)
  assert.equal(conf.sluice.limits.udp_sessions, 16_384)
  rmSync(path.join(load.home, 'conf/config.yaml'))
  const missing = loadBootConf({ home: load.home, env: {} })
  assert.deepEqual(missing.conf, conf)
  assert.deepEqual(missing.warnings, ['config.yaml: no such file: the defaults hold'])
})

test('a file that was named, by path or by profile, must be there', (context) => {
  const load = loader(context)
  assert.match(
    failure(() => load('', { file: 'other.yaml' })),
    /^other\.yaml: cannot be read: ENOENT$/,
  )
  assert.match(
    failure(() => load('', { env: { APISIX_PROFILE: 'dev' } })),
    /^config-dev\.yaml: cannot be read/,
  )
  writeFileSync(path.join(load.home, 'conf/config-dev.yaml'), 'apisix: {enable_ipv6: false}')
  assert.equal(load('', { env: { APISIX_PROFILE: 'dev' } }).conf.apisix.enable_ipv6, false)
})

test('objects merge key by key, lists replace, null takes a default away', (context) => {
  const load = loader(context)
  const { conf, warnings } = load(`
deployment:
  admin:
    admin_listen: {port: 9999}
    allow_admin:
stream_plugins: [prometheus]
plugins: null
plugin_attr:
  prometheus: {export_addr: {port: 9092}}
  own-plugin: {anything: [1]}
  inspect:
apisix:
`)
  assert.deepEqual(warnings, [])
  assert.deepEqual(conf.deployment.admin.admin_listen, { ip: '127.0.0.1', port: 9999 })
  assert.equal(conf.deployment.admin.allow_admin, undefined)
  assert.deepEqual(conf.stream_plugins, ['prometheus'])
  assert.deepEqual(conf.plugins, [])
  assert.deepEqual(conf.plugin_attr.prometheus.export_addr, { ip: '127.0.0.1', port: 9092 })
  assert.deepEqual(conf.plugin_attr['own-plugin'], { anything: [1] })
  assert.equal(conf.plugin_attr['inspect'], undefined)
})

test('an unknown key is a warning with its line, its path and its nearest neighbour', (context) => {
  const { warnings } = loader(context)('apisix:\n  proxy_mod: http\n\nnonsense_key: 1\n')
  assert.deepEqual(warnings, [
    'config.yaml:2: unknown key apisix.proxy_mod (did you mean proxy_mode?)',
    'config.yaml:4: unknown key nonsense_key',
  ])
})

test('a wrong value fails with file, line, path, and what was expected', (context) => {
  const load = loader(context)
  const cases: [string, string][] = [
    ['apisix:\n  proxy_mode: 3', 'config.yaml:2: apisix.proxy_mode: expected string, got number'],
    ['apisix: {enable_ipv6: "yes"}', 'config.yaml:1: apisix.enable_ipv6: expected boolean, got string'],
    ['apisix: [1]', 'config.yaml:1: apisix: expected object, got list'],
    ['- 1', 'config.yaml: expected an object at the top of the file'],
    [
      'deployment:\n  role: standalone',
      'config.yaml:2: deployment.role: expected one of traditional, data_plane, control_plane, got standalone',
    ],
    ['sluice:\n  tcp_keepalive: soon', 'config.yaml:2: sluice.tcp_keepalive: expected a time such as 60s, got soon'],
    ['sluice:\n  wire: kqueue', 'config.yaml:2: sluice.wire: expected one of auto, uring, epoll, portable, got kqueue'],
    [
      'sluice:\n  limits:\n    udp_sessions: 0',
      'config.yaml:3: sluice.limits.udp_sessions: expected 1 to 9007199254740991, got 0',
    ],
    [
      'nginx_config: {worker_processes: many}',
      'config.yaml:1: nginx_config.worker_processes: expected number, got string',
    ],
    [
      'deployment:\n  admin:\n    admin_key:\n    - name: a\n    - {name: b, role: boss}',
      'config.yaml:5: deployment.admin.admin_key[1].role: expected one of admin, viewer, got boss',
    ],
    [
      'apisix:\n  data_encryption:\n    keyring: [short]',
      'config.yaml:3: apisix.data_encryption.keyring[0]: expected 16 or 32 bytes, got 5',
    ],
    ...['utf-8\\r\\nX-Added: 1', 'utf-8\\0', 'utf-8\\n', 'utf-8\\x7f', 'a b', '\\u00e9'].map(
      (charset): [string, string] => [
        `nginx_config: {http: {charset: "${charset}"}}`,
        'config.yaml:1: nginx_config.http.charset: expected the name of a character set, or off',
      ],
    ),
    [
      'apisix: {enable_server_tokens: "a\\r\\nb"}',
      'config.yaml:1: apisix.enable_server_tokens: expected boolean, got string',
    ],
    [
      'deployment:\n  etcd:\n    host: ["127.0.0.1:2379"]',
      'config.yaml:3: deployment.etcd.host[0]: expected an address that begins with http:// or https://',
    ],
  ]
  for (const [text, expected] of cases)
    assert.equal(
      failure(() => load(text)),
      expected,
    )
  assert.match(
    failure(() => load('a: [')),
    /^config\.yaml:1: /,
  )
  assert.match(
    failure(() => load('a: 1\na: 2')),
    /^config\.yaml:2: .*unique/,
  )
})

test('what this version does not do is refused by name, never ignored', (context) => {
  const load = loader(context)
  const cases: [string, RegExp][] = [
    ['apisix: {proxy_protocol: {enable_tcp_pp: true}}', /apisix\.proxy_protocol\.enable_tcp_pp: .*not built/],
    ['apisix: {stream_proxy: {tcp: [{addr: 9100, proxy_protocol: true}]}}', /tcp\[0\]\.proxy_protocol: .*not built/],
    ['apisix: {extra_lua_path: /x/?.lua}', /apisix\.extra_lua_path: Lua/],
    ['nginx_config: {stream_configuration_snippet: "resolver 1.1.1.1;"}', /stream_configuration_snippet: nginx/],
    ['deployment: {role: data_plane, role_data_plane: {config_provider: xds}}', /config_provider: xds/],
    ['discovery: {dns: {servers: ["127.0.0.1:53"]}}', /discovery: service discovery is not built/],
    ['wasm: {plugins: [{name: x}]}', /wasm: /],
    ['ext-plugin: {cmd: [x]}', /ext-plugin: /],
    ['apisix: {ssl: {listen: [{port: 9443, enable_http3: true}]}}', /enable_http3: HTTP\/3/],
  ]
  for (const [text, expected] of cases)
    assert.match(
      failure(() => load(text)),
      expected,
    )
})

test('settings that ask for nothing here are one warning each, and silent at their default', (context) => {
  const load = loader(context)
  const { warnings } = load(`
apisix:
  node_listen: 9080
  proxy_protocol: {enable_tcp_pp: false}
  extra_lua_path: ""
  worker_startup_time_threshold: 60
nginx_config:
  enable_cpu_affinity: true
  max_pending_timers: 16384
  http_configuration_snippet: |
    # nothing
  http: {client_max_body_size: 1m, keepalive_timeout: 10s}
discovery:
`)
  assert.deepEqual(warnings, ['config.yaml:8: nginx_config.enable_cpu_affinity has no effect in Sluice'])
})

test('environment variables are put into values and keys and get the type that they read as', (context) => {
  const load = loader(context)
  const env = {
    PORT: '9444',
    FLAG: 'false',
    KEY: 'enable_admin_cors',
    PASSWORD: '0123456',
    HOST: 'http://10.0.0.1:2379',
  }
  const { conf } = load(
    `
deployment:
  admin:
    \${{KEY}}: \${{FLAG}}
    admin_listen: {port: "\${{PORT}}"}
  etcd:
    host: ["\${{HOST}}", "\${{SECOND:=http://10.0.0.2:2379}}"]
    user: root
    password: \${{PASSWORD}}
`,
    { env },
  )
  assert.equal(conf.deployment.admin.enable_admin_cors, false)
  assert.equal(conf.deployment.admin.admin_listen.port, 9444)
  assert.deepEqual(conf.deployment.etcd.host, ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'])
  assert.equal(conf.deployment.etcd.password, '0123456', 'a password of digits stays the text it is')
  assert.equal(
    failure(() => load('apisix:\n  id: ${{NOT_SET}}')),
    "config.yaml:2: apisix.id: failed to handle configuration: can't find environment variable NOT_SET",
  )
})

test('the reserved variables replace what the file says', (context) => {
  const load = loader(context)
  const env = { APISIX_DEPLOYMENT_ETCD_HOST: '["http://etcd:2379"]', APISIX_WORKER_PROCESSES: '3' }
  const { conf } = load('nginx_config: {worker_processes: 8}', { env })
  assert.deepEqual(conf.deployment.etcd.host, ['http://etcd:2379'])
  assert.equal(conf.nginx_config.worker_processes, 3)
  assert.match(
    failure(() => load('', { env: { APISIX_DEPLOYMENT_ETCD_HOST: 'x' } })),
    /deployment\.etcd\.host: APISIX_DEPL/,
  )
  assert.match(
    failure(() => load('', { env: { APISIX_WORKER_PROCESSES: 'x' } })),
    /nginx_config\.worker_processes/,
  )
  const alone = { APISIX_STAND_ALONE: 'true' }
  assert.match(
    failure(() => load('', { env: alone })),
    /APISIX_STAND_ALONE asks for yaml or json, got embedded/,
  )
  load('deployment: {role: data_plane, role_data_plane: {config_provider: yaml}}', { env: alone })
})

test('two listeners of one port and two servers of one port are named with both places', (context) => {
  const load = loader(context)
  const cases: [string, string][] = [
    [
      'apisix:\n  stream_proxy:\n    tcp:\n      - 9100\n      - 9050-9100\n  proxy_mode: stream',
      'config.yaml:5: apisix.stream_proxy.tcp[1]: tcp port 9100 is listened on already by apisix.stream_proxy.tcp[0], line 4',
    ],
    [
      'apisix:\n  stream_proxy:\n    udp:\n      - 9100\n      - 0.0.0.0:9100\n  proxy_mode: stream',
      'config.yaml:5: apisix.stream_proxy.udp[1]: udp port 9100 is listened on already by apisix.stream_proxy.udp[0], line 4',
    ],
    [
      'apisix:\n  stream_proxy:\n    tcp: [9180]\n  proxy_mode: stream',
      'config.yaml:3: apisix.stream_proxy.tcp[0]: stream listen port 9180 conflicts with admin port (deployment.admin.admin_listen, by default)',
    ],
    [
      'apisix:\n  node_listen: 9090',
      'config.yaml:2: apisix.node_listen: http listen port 9090 conflicts with control port (apisix.control, by default)',
    ],
    [
      'apisix:\n  control:\n    port: 9091',
      'config.yaml:2: apisix.control: control listen port 9091 conflicts with prometheus port (plugin_attr.prometheus.export_addr, by default)',
    ],
  ]
  for (const [text, expected] of cases)
    assert.equal(
      failure(() => load(text)),
      expected,
    )
  load('apisix: {proxy_mode: stream, stream_proxy: {tcp: [9100, "127.0.0.1:9100"], udp: [9100, 9180]}}')
  load('apisix: {proxy_mode: stream, enable_admin: false, enable_control: false, stream_proxy: {tcp: [9180, 9090]}}')
  load('apisix: {proxy_mode: stream, stream_proxy: {tcp: ["127.0.0.1:0", "127.0.0.1:0"]}}')
})

test('an Admin API with TLS needs a certificate, and a trusted file must exist', (context) => {
  const load = loader(context)
  assert.match(
    failure(() => load('deployment: {admin: {https_admin: true}}')),
    /missing ssl cert for https admin/,
  )
  assert.match(
    failure(() => load('apisix: {ssl: {ssl_trusted_certificate: nowhere.pem}}')),
    /nowhere\.pem does not exist/,
  )
})

test('the shipped file says nothing that is warned of', () => {
  const home = path.join(import.meta.dirname, '../../../..')
  const { warnings, conf } = loadBootConf({ home, file: 'conf/config.default.yaml', env: {} })
  assert.deepEqual(warnings, [])
  assert.equal(configProvider(conf), 'embedded')
})
