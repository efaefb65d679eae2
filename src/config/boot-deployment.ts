/** The keys under `deployment:`: the role, the Admin API and where configuration comes from. */
import {
  accept,
  count,
  dictionary,
  type Field,
  flag,
  list,
  oneOf,
  optional,
  port,
  section,
  text,
} from './boot-field.ts'

const providers = {
  traditional: ['embedded', 'etcd', 'yaml', 'json'],
  data_plane: ['etcd', 'yaml', 'json'],
} as const

/** As `oneOf`, with a reason of its own for `xds`, which APISIX knows. */
function provider<const T extends string>(fallback: NoInfer<T>, values: readonly T[]): Field<T> {
  const inner = oneOf(fallback, values)
  return {
    ...inner,
    read: (raw, path, reading) =>
      raw === 'xds'
        ? reading.fail(path, 'xds is not offered by Sluice; use etcd, yaml or json')
        : inner.read(raw, path, reading),
  }
}

/** `key:` with nothing behind it is as empty as `key: ""`. */
const emptyOrText: Field<string> = {
  ...text(''),
  read: (raw, path, reading) => (raw === null ? '' : text('').read(raw, path, reading)),
}

const adminKey = section({
  name: text('admin'),
  key: emptyOrText,
  role: oneOf('admin', ['admin', 'viewer']),
})

export type AdminKey = (typeof adminKey)['fallback']

const certificates = section({
  admin_ssl_cert: text(''),
  admin_ssl_cert_key: text(''),
  admin_ssl_ca_cert: text(''),
})

export const deployment = section({
  role: oneOf('traditional', ['traditional', 'data_plane', 'control_plane']),
  role_traditional: section({ config_provider: provider('embedded', providers.traditional) }),
  role_data_plane: section({ config_provider: provider('etcd', providers.data_plane) }),
  role_control_plane: section({ config_provider: provider('etcd', ['etcd']) }),
  admin: section({
    admin_key_required: flag(true),
    admin_key: list<AdminKey>(adminKey, [{ name: 'admin', key: '', role: 'admin' }]),
    enable_admin_cors: flag(true),
    enable_admin_ui: flag(true),
    /** Undefined (written `allow_admin: null`): everyone. */
    allow_admin: { ...optional(list(text(''))), fallback: ['127.0.0.0/24'] },
    admin_listen: section({ ip: text('127.0.0.1'), port: port(9180) }),
    https_admin: flag(false),
    admin_api_mtls: certificates,
    admin_api_version: oneOf('v3', ['v3']),
  }),
  etcd: section({
    host: hosts(),
    prefix: text('/apisix', /^\/.*[^/]$/, 'a path that begins with a slash and does not end with one'),
    timeout: count(30, { min: 1 }),
    watch_timeout: count(50, { min: 1 }),
    resync_delay: count(5),
    health_check_timeout: count(10),
    startup_retry: count(2),
    user: optional(text('')),
    password: optional(text('')),
    tls: section({
      cert: optional(text('')),
      key: optional(text('')),
      verify: flag(true),
      sni: optional(text('')),
    }),
    use_grpc: accept(flag(false), ': etcd is always spoken to by gRPC'),
  }),
  certs: accept(dictionary(text(''))),
})

function hosts(): Field<readonly string[]> {
  const inner = list(text('', /^https?:\/\/[^/]+/, 'an address that begins with http:// or https://'), [
    'http://127.0.0.1:2379',
  ])
  return {
    ...inner,
    read(raw, path, reading) {
      const value = inner.read(raw, path, reading)
      if (value.length === 0) return reading.fail(path, 'expected at least one address')
      const schemes = new Set(value.map((each) => each.slice(0, each.indexOf(':'))))
      return schemes.size > 1 ? reading.fail(path, 'http:// and https:// cannot be mixed') : value
    },
  }
}
