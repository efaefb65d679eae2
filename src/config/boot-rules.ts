/** What the table of keys cannot say: rules between keys of config.yaml. Each failure names both places. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { BootDocument } from './boot-document.ts'
import type { BootConf } from './boot-schema.ts'
import { type HttpListener, httpListeners } from './http-listeners.ts'
import { isAddress, ListenError, type StreamListener, streamListeners, streamPortRanges } from './stream-listeners.ts'

/** Fails through `document`. */
export function checkBootRules(conf: BootConf, document: BootDocument, home: string): void {
  checkListeners(conf, document)
  checkAdmin(conf, document)
  const trusted = conf.apisix.ssl.ssl_trusted_certificate
  if (trusted !== 'system') checkFile('apisix.ssl.ssl_trusted_certificate', trusted, document, home)
  const { cert, key } = conf.deployment.etcd.tls
  if ((cert === undefined) !== (key === undefined)) document.fail('deployment.etcd.tls', 'cert and key belong together')
  const { user, password } = conf.deployment.etcd
  if ((user === undefined) !== (password === undefined))
    document.fail('deployment.etcd', 'user and password belong together')
}

function checkListeners(conf: BootConf, document: BootDocument): void {
  try {
    streamPortRanges(conf)
    // As if IPv6 were there: whether a file is right must not depend on the machine.
    const listeners = streamListeners(conf, { ipv6: true })
    for (const each of listeners) {
      if (!isAddress(each.host)) document.fail(each.path, `expected an IP address, got ${each.host}`)
    }
    const { proxy_mode, stream_proxy } = conf.apisix
    if (proxy_mode === 'http' && stream_proxy.tcp.length + stream_proxy.udp.length > 0) {
      const path = 'apisix.stream_proxy'
      document.warn(path, `${path} has no effect: apisix.proxy_mode is http`)
    }
    const http = httpListeners(conf, { ipv6: true })
    for (const each of http) {
      if (!isAddress(each.host)) document.fail(each.path, `expected an IP address, got ${each.host}`)
    }
    checkTwice(listeners, document)
    checkOwnPorts(conf, listeners, http, document)
  } catch (thrown) {
    if (thrown instanceof ListenError) document.fail(thrown.path, thrown.message)
    throw thrown
  }
}

function checkTwice(listeners: readonly StreamListener[], document: BootDocument): void {
  const seen = new Map<string, StreamListener>()
  for (const each of listeners) {
    if (each.port === 0) continue
    const hosts = each.host === '::' ? ['::', '0.0.0.0'] : [each.host]
    for (const host of hosts) {
      const key = `${each.transport} ${host} ${each.port}`
      const first = seen.get(key)
      if (first !== undefined && first !== each) {
        document.fail(
          each.path,
          `${each.transport} port ${each.port} is listened on already by ${place(first.path, document)}`,
        )
      }
      seen.set(key, each)
    }
  }
}

interface OwnPort {
  readonly what: string
  readonly path: string
  readonly host: string
  readonly port: number
}

/** The ports of this program's own servers, as far as they are switched on. */
function ownPorts(conf: BootConf): readonly OwnPort[] {
  const { control, enable_control, status } = conf.apisix
  const { admin_listen } = conf.deployment.admin
  const { enable_export_server, export_addr } = conf.plugin_attr.prometheus
  const own: OwnPort[] = []
  const add = (what: string, path: string, addr: { readonly ip: string; readonly port: number }) =>
    void own.push({ what, path, host: addr.ip, port: addr.port })
  if (servesAdmin(conf)) add('admin', 'deployment.admin.admin_listen', admin_listen)
  if (enable_control) add('control', 'apisix.control', control)
  if (status !== undefined) add('status', 'apisix.status', status)
  if (enable_export_server) add('prometheus', 'plugin_attr.prometheus.export_addr', export_addr)
  return own.filter((each) => each.port !== 0)
}

function checkOwnPorts(
  conf: BootConf,
  listeners: readonly StreamListener[],
  http: readonly HttpListener[],
  document: BootDocument,
): void {
  const taken: OwnPort[] = listeners
    .filter((each) => each.transport === 'tcp' && each.port !== 0)
    .map((each) => ({ what: 'stream', path: each.path, host: each.host, port: each.port }))
  const web: OwnPort[] = http
    .filter((each) => each.port !== 0)
    .map((each) => ({ what: each.tls ? 'https' : 'http', path: each.path, host: each.host, port: each.port }))
  for (const each of [...web, ...ownPorts(conf)]) {
    const other = taken.find((one) => one.port === each.port && overlap(one.host, each.host))
    if (other !== undefined) {
      const [path, against] = document.has(other.path) ? [other.path, each] : [each.path, other]
      const what = against === each ? other.what : each.what
      document.fail(
        path,
        `${what} listen port ${each.port} conflicts with ${against.what} port (${place(against.path, document)})`,
      )
    }
    taken.push(each)
  }
}

const wildcards = new Set(['0.0.0.0', '::'])

function overlap(a: string, b: string): boolean {
  return a === b || wildcards.has(a) || wildcards.has(b)
}

function checkAdmin(conf: BootConf, document: BootDocument): void {
  const { admin } = conf.deployment
  if (
    servesAdmin(conf) &&
    admin.https_admin &&
    (admin.admin_api_mtls.admin_ssl_cert === '' || admin.admin_api_mtls.admin_ssl_cert_key === '')
  ) {
    document.fail('deployment.admin.https_admin', 'missing ssl cert for https admin')
  }
}

function checkFile(path: string, file: string, document: BootDocument, home: string): void {
  if (!existsSync(resolve(home, file))) document.fail(path, `${file} does not exist`)
}

function place(path: string, document: BootDocument): string {
  const line = document.has(path) ? document.line(path) : undefined
  return line === undefined ? `${path}, by default` : `${path}, line ${line}`
}

/** Whether this instance has an Admin API: never on a data plane, always on a control plane. */
export function servesAdmin(conf: BootConf): boolean {
  const { role } = conf.deployment
  return role === 'control_plane' || (role === 'traditional' && conf.apisix.enable_admin)
}
