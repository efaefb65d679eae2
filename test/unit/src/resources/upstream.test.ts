/** Upstreams: what is refused in which words, and their normal form. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { upstream } from '../../../../src/resources/upstream.ts'
import { makeCa, makeCertificate } from '../../../support/certificates.ts'
import { checkOf } from '../../../support/resource-checks.ts'

const nodes = { '127.0.0.1:1980': 1 }
const bare = checkOf()
const tls = 'property "tls" validation failed: '

const accepted: readonly JsonObject[] = [
  { nodes },
  { nodes: [] },
  { nodes: {} },
  { nodes: [{ host: 'foo.com', weight: 1 }] },
  { nodes: [{ host: '[::1]', port: 80, weight: 0, priority: -1, metadata: { a: 1 } }] },
  { nodes: { 'foo.com': 1, 'bar.com:80': 2, '[::1]:80': 3, '[::1]': 4 } },
  { nodes, type: 'chash', key: 'remote_addr' },
  { nodes, type: 'chash', key: 'arg_device_id' },
  { nodes, type: 'chash', key: 'server_port' },
  { nodes, type: 'chash', key: 'sni' },
  { nodes, type: 'chash', hash_on: 'header', key: 'X-Id' },
  { nodes, type: 'chash', hash_on: 'consumer' },
  { nodes, type: 'chash', hash_on: 'vars_combinations', key: '$remote_addr$remote_port' },
  { nodes, pass_host: 'rewrite', upstream_host: 'a.com' },
  { nodes, scheme: 'tls', tls: { client_cert_id: 1, verify: true }, labels: { team: 'a' }, desc: '' },
  { nodes, keepalive_pool: { size: 1 }, retries: 0, retry_timeout: 0.5, timeout: { connect: 1, send: 1, read: 0.5 } },
]

for (const value of accepted) {
  test(`an upstream ${JSON.stringify(value)} is accepted`, () => {
    assert.equal(bare.check('upstreams', '1', value), undefined)
  })
}

const schemaFaults: readonly (readonly [JsonObject, string])[] = [
  [{}, 'value should match only one schema, but matches none'],
  [
    { nodes, service_name: 'a', discovery_type: 'dns' },
    'value should match only one schema, but matches both schemas 1 and 2',
  ],
  [{ service_name: 'a' }, 'value should match only one schema, but matches none'],
  [{ nodes, xxx: 1 }, 'additional properties forbidden, found xxx'],
  [{ nodes: { a: -1 } }, 'property "nodes" validation failed: object matches none of the required'],
  [
    { nodes: [{ host: 'a', weight: 1, port: 65536 }] },
    'property "nodes" validation failed: object matches none of the required',
  ],
  [{ nodes, retries: -1 }, 'property "retries" validation failed: expected -1 to be at least 0'],
  [{ nodes, scheme: 'ftp' }, 'property "scheme" validation failed: matches none of the enum values'],
  [{ nodes, type: 1 }, 'property "type" validation failed: wrong type: expected string, got number'],
  [{ nodes, hash_on: 'aaa' }, 'property "hash_on" validation failed: matches none of the enum values'],
  [
    { nodes, timeout: { connect: 0, send: 1, read: 1 } },
    'property "timeout" validation failed: property "connect" validation failed: expected 0 to be greater than 0',
  ],
  [{ nodes, timeout: { connect: 1 } }, 'property "timeout" validation failed: property "send" is required'],
  [
    { nodes, checks: { passive: {} } },
    'property "checks" validation failed: object matches none of the required: ["active"] or ["active","passive"]',
  ],
  [
    { nodes, checks: { active: { unhealthy: { tcp_failures: 255 } } } },
    'property "checks" validation failed: property "active" validation failed: property "unhealthy" validation failed: ' +
      'property "tcp_failures" validation failed: expected 255 to be at most 254',
  ],
  [
    { nodes, labels: { env: ['a'] } },
    'property "labels" validation failed: failed to validate env (matching ".*"): wrong type: expected string, got table',
  ],
  [
    { nodes, labels: { env: 'a b' } },
    'property "labels" validation failed: failed to validate env (matching ".*"): ' +
      'failed to match pattern "^\\\\S+$" with "a b"',
  ],
  [{ nodes, name: '' }, 'property "name" validation failed: string too short, expected at least 1, got 0'],
  [{ nodes, id: 0 }, 'property "id" validation failed: object matches none of the required'],
  [
    { nodes, tls: { client_key: 'x'.repeat(64) } },
    `${tls}failed to validate dependent schema for "client_key": property "client_cert" is required`,
  ],
  [
    { nodes, tls: { client_cert: 'x'.repeat(128) } },
    `${tls}failed to validate dependent schema for "client_cert": property "client_key" is required`,
  ],
  [
    { nodes, tls: { client_cert_id: 1, client_cert: 'x'.repeat(128), client_key: 'x'.repeat(64) } },
    `${tls}failed to validate dependent schema for "client_cert_id": value wasn't supposed to match schema`,
  ],
]

for (const [value, message] of schemaFaults) {
  test(`an upstream ${JSON.stringify(value).slice(0, 90)} is refused by its schema`, () => {
    assert.equal(bare.check('upstreams', '1', value), `invalid configuration: ${message}`)
  })
}

const brackets = "invalid configuration: IPv6 address must be enclosed with '[' and ']'"
const otherFaults: readonly (readonly [JsonObject, string])[] = [
  [{ nodes: [{ host: '::1', port: 80, weight: 1 }] }, brackets],
  [{ nodes: { '::1': 1 } }, brackets],
  [{ nodes: { 'a.com:x': 1 } }, 'invalid configuration: bad port in node "a.com:x"'],
  [{ nodes: { 'a.com:0': 1 } }, 'invalid configuration: bad port in node "a.com:0"'],
  [{ nodes: { 'a.com:65536': 1 } }, 'invalid configuration: bad port in node "a.com:65536"'],
  [{ nodes: { ':80': 1 } }, 'invalid configuration: bad host in node ":80"'],
  [{ nodes: { 'a b': 1 } }, 'invalid configuration: bad host in node "a b"'],
  [{ nodes, pass_host: 'rewrite' }, "`upstream_host` can't be empty when `pass_host` is `rewrite`"],
  [{ nodes, type: 'chash' }, 'missing key'],
  [{ nodes, type: 'chash', hash_on: 'vars_combinations' }, 'missing key'],
  [
    { nodes, type: 'chash', hash_on: 'header', key: '$x' },
    'invalid configuration: failed to match pattern "^[a-zA-Z0-9-_]+$" with "$x"',
  ],
  [
    { nodes, tls: { client_cert: 'x'.repeat(128), client_key: 'x'.repeat(64) } },
    'failed to parse cert: PEM_read_bio_X509_AUX() failed',
  ],
  [{ nodes, checks: { active: {} } }, 'checks: active health checks are not built in this version'],
  [{ service_name: 'a', discovery_type: 'dns' }, 'service_name: service discovery is not built in this version'],
  [{ nodes, scheme: 'kafka' }, 'scheme: kafka is not built in this version'],
  [{ nodes, type: 'mine' }, 'type: the balancer mine is not built in this version'],
]

for (const [value, message] of otherFaults) {
  test(`an upstream ${JSON.stringify(value).slice(0, 90)} is refused: ${message}`, () => {
    assert.equal(bare.check('upstreams', '1', value), message)
  })
}

test('a hash key that no variable has is refused with the pattern of those that there are', () => {
  const message = bare.check('upstreams', '1', { nodes, type: 'chash', key: 'nonsense' })
  assert.match(
    message ?? '',
    /^invalid configuration: failed to match pattern "\^\(\(uri\|.*mqtt_client_id.*" with "nonsense"$/,
  )
})

test('a loaded upstream may have an IPv6 address without brackets', () => {
  const value = { nodes: [{ host: '::1', port: 80, weight: 1 }] }
  assert.equal(bare.checkLoaded('upstreams', '1', value), undefined)
  assert.deepEqual((bare.normalize('upstreams', '1', value) as { nodes: unknown }).nodes, [
    { host: '::1', port: 80, weight: 1, priority: 0 },
  ])
})

test('the normal form has defaults, nodes as an array, ids as text, and nothing that only the Admin API needs', () => {
  const value = {
    id: 7,
    create_time: 1,
    update_time: 2,
    desc: 'x',
    nodes: { 'foo.com': 1, 'bar.com:80': 2, '[::1]:90': 3 },
    tls: { client_cert_id: 5 },
    name: 'u',
  }
  assert.deepEqual(bare.normalize('upstreams', '7', value), {
    id: '7',
    name: 'u',
    type: 'roundrobin',
    hash_on: 'vars',
    scheme: 'http',
    pass_host: 'pass',
    retry_timeout: 0,
    tls: { client_cert_id: '5', verify: false },
    nodes: [
      { host: 'foo.com', weight: 1, priority: 0 },
      { host: 'bar.com', port: 80, weight: 2, priority: 0 },
      { host: '::1', port: 90, weight: 3, priority: 0 },
    ],
  })
  const list = { nodes: [{ host: '[fe80::1]', port: 1, weight: 2, priority: 3, metadata: { zone: 'a' } }] }
  assert.deepEqual((bare.normalize('upstreams', '7', list) as { nodes: unknown }).nodes, [
    { host: 'fe80::1', port: 1, weight: 2, priority: 3, metadata: { zone: 'a' } },
  ])
})

test("the client's key is stored encrypted, is accepted so, and is open in the normal form", () => {
  const { cert, key } = makeCertificate({ ca: makeCa(), names: ['client'], client: true })
  const check = checkOf({ keyring: ['edd1c9f0985e76a2'] })
  const value = { nodes, scheme: 'tls', tls: { client_cert: cert, client_key: key } }
  assert.equal(check.check('upstreams', '1', value), undefined)
  const sealed = upstream.seal(value, check.context) as typeof value
  assert.notEqual(sealed.tls.client_key, key)
  assert.equal(value.tls.client_key, key)
  assert.equal(check.check('upstreams', '1', sealed), undefined)
  assert.deepEqual((check.normalize('upstreams', '1', sealed) as typeof value).tls, {
    client_cert: cert,
    client_key: key,
    verify: false,
  })
})
