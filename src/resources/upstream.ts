/**
 * Upstreams: nodes and how to balance, retry and connect. The functions serve an upstream that stands inside another
 * resource just as well; resolving names and choosing nodes is done elsewhere.
 */
import type { Json, JsonObject } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import { certificateText, pairFault, privateKeyText } from './certificate-pair.ts'
import type { TimeoutValue } from './common-fields.ts'
import { defineKind, idText, withDefaults } from './define-kind.ts'
import { sealPrivateKey } from './keyring.ts'
import type { CheckContext, Reference } from './kind.ts'
import { secretReferenceRefusal } from './secret-reference.ts'
import { type NodeValue, nodesFault, normalizeNodes } from './upstream-nodes.ts'
import { hashHeaderSchema, hashVarSchema, upstreamSchema } from './upstream-schema.ts'

/** An upstream in its normal form. Times are in seconds, as they are written. */
export interface UpstreamValue {
  readonly id?: string
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly type: string
  readonly nodes: readonly NodeValue[]
  readonly hash_on: 'vars' | 'header' | 'cookie' | 'consumer' | 'vars_combinations'
  readonly key?: string
  /** `http` if nothing was said, also for an upstream that only streams use. */
  readonly scheme: string
  /** Further tries; absent: as many as there are further nodes. */
  readonly retries?: number
  /** 0: no limit. */
  readonly retry_timeout: number
  readonly timeout?: TimeoutValue
  readonly pass_host: 'pass' | 'node' | 'rewrite'
  readonly upstream_host?: string
  readonly tls?: UpstreamTlsValue
  readonly keepalive_pool?: { readonly size: number; readonly idle_timeout: number; readonly requests: number }
}

/** Either the pair or `client_cert_id`, or neither. The key is decrypted. */
export interface UpstreamTlsValue {
  readonly client_cert?: string
  readonly client_key?: string
  readonly client_cert_id?: string
  readonly verify: boolean
}

const builtBalancers: readonly string[] = ['roundrobin', 'chash', 'least_conn', 'ewma']

export const upstream = defineKind({
  name: 'upstreams',
  noun: 'upstream',
  schemaName: 'upstream',
  schema: upstreamSchema,
  references: upstreamReferences,
  check: checkUpstream,
  unsupported: (value) => unsupportedUpstream(value, ''),
  seal: sealUpstream,
  normalize: (value, context, id) =>
    ({ ...normalizeUpstream(withDefaults(upstreamSchema, value), context), id }) as unknown as JsonObject,
})

export function upstreamReferences(value: JsonObject): Reference[] {
  const id = idText((value['tls'] as JsonObject | undefined)?.['client_cert_id'])
  return id === undefined ? [] : [{ kind: 'ssls', id, path: 'tls.client_cert_id' }]
}

/** What the schema cannot say about an upstream; the message of the first fault. */
export function checkUpstream(value: JsonObject, context: CheckContext): string | undefined {
  const { nodes, pass_host, upstream_host } = value
  const badNodes = nodes === undefined ? undefined : nodesFault(nodes, context.writing)
  if (badNodes !== undefined) return badNodes
  if (pass_host === 'rewrite' && (upstream_host === undefined || upstream_host === '')) {
    return "`upstream_host` can't be empty when `pass_host` is `rewrite`"
  }
  const tls = value['tls'] as Record<string, string> | undefined
  const badTls =
    tls?.['client_cert'] === undefined ? undefined : pairFault(tls['client_cert'], tls['client_key'], context)
  return badTls ?? (value['type'] === 'chash' ? hashKeyFault(value) : undefined)
}

function hashKeyFault(value: JsonObject): string | undefined {
  const hashOn = value['hash_on'] ?? 'vars'
  if (hashOn === 'consumer') return undefined
  const key = value['key']
  if (key === undefined) return 'missing key'
  if (hashOn === 'vars_combinations') return undefined
  const fault = compileSchema(hashOn === 'vars' ? hashVarSchema : hashHeaderSchema).check(key)
  return fault === undefined ? undefined : `invalid configuration: ${fault}`
}

/** `path`: what stands before the field's name in the sentence, `upstream.` inside another resource. */
export function unsupportedUpstream(value: JsonObject, path: string): string | undefined {
  if (value['checks'] !== undefined) return `${path}checks: active health checks are not built in this version`
  if (value['service_name'] !== undefined || value['discovery_type'] !== undefined) {
    return `${path}service_name: service discovery is not built in this version`
  }
  if (value['scheme'] === 'kafka') return `${path}scheme: kafka is not built in this version`
  const type = value['type'] ?? 'roundrobin'
  if (!builtBalancers.includes(type as string)) return `${path}type: the balancer ${type} is not built in this version`
  return secretReferenceRefusal(value['tls'], `${path}tls`)
}

/** With the private key encrypted. */
export function sealUpstream(value: JsonObject, context: CheckContext): JsonObject {
  const tls = value['tls'] as JsonObject | undefined
  const key = tls?.['client_key']
  if (typeof key !== 'string') return value
  return { ...value, tls: { ...tls, client_key: sealPrivateKey(context.keyring, key) } }
}

/** `value` passed schema and check, and has its defaults. */
export function normalizeUpstream(value: JsonObject, context: CheckContext): UpstreamValue {
  const { create_time, update_time, desc, checks, service_name, discovery_type, discovery_args, ...kept } = value
  const { nodes, tls, id } = value
  return {
    retry_timeout: 0,
    ...kept,
    nodes: nodes === undefined ? [] : normalizeNodes(nodes),
    ...(tls === undefined ? {} : { tls: normalizeTls(tls as JsonObject, context) }),
    ...(id === undefined ? {} : { id: idText(id) }),
  } as unknown as UpstreamValue
}

function normalizeTls(tls: JsonObject, context: CheckContext): UpstreamTlsValue {
  const { client_cert, client_key, client_cert_id, verify } = tls as Record<string, Json | undefined>
  return {
    ...(typeof client_cert === 'string' ? { client_cert: certificateText(client_cert, context) } : {}),
    ...(typeof client_key === 'string' ? { client_key: privateKeyText(client_key, context) } : {}),
    ...(client_cert_id === undefined ? {} : { client_cert_id: String(client_cert_id) }),
    verify: verify === true,
  }
}
