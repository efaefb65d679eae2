/** Schema of an upstream, whether it is a resource of its own or stands inside a route, stream route or service. */
import type { JsonSchema } from '../base/json.ts'
import { hostSchema } from './address-schema.ts'
import { checksSchema } from './checks-schema.ts'
import { describedSchema, idSchema, timeoutSchema } from './common-fields.ts'
import { pemSchema } from './secret-reference.ts'
import { nodesSchema } from './upstream-nodes.ts'

const tlsSchema: JsonSchema = {
  type: 'object',
  properties: {
    client_cert_id: idSchema,
    client_cert: pemSchema(128),
    client_key: pemSchema(64),
    verify: { type: 'boolean', default: false, description: "verify the endpoint's certificate" },
  },
  dependencies: {
    client_cert: { required: ['client_key'], not: { required: ['client_cert_id'] } },
    client_key: { required: ['client_cert'], not: { required: ['client_cert_id'] } },
    client_cert_id: { not: { anyOf: [{ required: ['client_cert'] }, { required: ['client_key'] }] } },
  },
}

const keepalivePoolSchema: JsonSchema = {
  type: 'object',
  properties: {
    size: { type: 'integer', minimum: 1, default: 320 },
    idle_timeout: { type: 'number', minimum: 0, default: 60, description: 'seconds' },
    requests: { type: 'integer', minimum: 1, default: 1000 },
  },
}

export const upstreamSchema: JsonSchema = {
  type: 'object',
  properties: {
    ...describedSchema,
    nodes: nodesSchema,
    retries: { type: 'integer', minimum: 0 },
    retry_timeout: { type: 'number', minimum: 0, description: 'seconds; 0: no limit' },
    timeout: timeoutSchema,
    tls: tlsSchema,
    keepalive_pool: keepalivePoolSchema,
    type: { description: 'algorithm of load balancing', type: 'string', default: 'roundrobin' },
    checks: checksSchema,
    hash_on: {
      type: 'string',
      default: 'vars',
      enum: ['vars', 'header', 'cookie', 'consumer', 'vars_combinations'],
    },
    key: { description: 'what chash hashes', type: 'string' },
    scheme: {
      default: 'http',
      enum: ['grpc', 'grpcs', 'http', 'https', 'tcp', 'tls', 'udp', 'kafka'],
      description: 'http, https, grpc, grpcs for routes; tcp, tls, udp for stream routes, where http means tcp',
    },
    discovery_type: { description: 'discovery type', type: 'string' },
    discovery_args: {
      type: 'object',
      properties: { namespace_id: { type: 'string' }, group_name: { type: 'string' } },
    },
    pass_host: { type: 'string', enum: ['pass', 'node', 'rewrite'], default: 'pass' },
    upstream_host: hostSchema,
    service_name: { type: 'string', minLength: 1, maxLength: 256 },
  },
  oneOf: [{ required: ['nodes'] }, { required: ['service_name', 'discovery_type'] }],
  additionalProperties: false,
}

/** What may be hashed when `hash_on` is `vars`: APISIX's list, and for streams the port and the server name. */
export const hashVarSchema: JsonSchema = {
  type: 'string',
  pattern:
    '^((uri|server_name|server_addr|request_uri|remote_port|remote_addr|query_string|host|hostname|mqtt_client_id' +
    '|server_port|sni)' +
    '|arg_[0-9a-zA-z_-]+)$',
}

/** What may be hashed when `hash_on` is `header` or `cookie`. */
export const hashHeaderSchema: JsonSchema = { type: 'string', pattern: '^[a-zA-Z0-9-_]+$' }
