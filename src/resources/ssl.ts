/**
 * Certificates: those shown to clients by server name, and those shown to endpoints (`type: client`). Choosing one for
 * a connection is done elsewhere.
 */
import { RE2JS } from 're2js'
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import { canonicalName, hostSchema } from './address-schema.ts'
import { certificateText, pairFault, privateKeyText } from './certificate-pair.ts'
import { descSchema, idSchema, labelsSchema, timesSchema } from './common-fields.ts'
import { defineKind, withDefaults } from './define-kind.ts'
import { sealPrivateKey } from './keyring.ts'
import type { CheckContext } from './kind.ts'
import { pemSchema, secretReferenceRefusal } from './secret-reference.ts'

/** An ssl in its normal form: everything is PEM text, keys are decrypted. */
export interface SslValue {
  readonly id: string
  readonly type: 'server' | 'client'
  /** Lower case, without a trailing dot; `*.x` covers exactly one label, `*` all names. Empty for `client`. */
  readonly snis: readonly string[]
  readonly pairs: readonly { readonly cert: string; readonly key: string }[]
  /** Clients must show a certificate that `ca` signed. */
  readonly client?: { readonly ca: string; readonly depth: number; readonly skip_mtls_uri_regex?: readonly string[] }
  /** 0: not in use. */
  readonly status: 0 | 1
  readonly ssl_protocols?: readonly ('TLSv1.1' | 'TLSv1.2' | 'TLSv1.3')[]
}

const certSchema = pemSchema(128)
const keySchema = pemSchema(64)

const schema: JsonSchema = {
  type: 'object',
  properties: {
    id: idSchema,
    desc: descSchema,
    labels: labelsSchema,
    ...timesSchema,
    type: {
      description: 'server: shown to clients; client: shown to upstreams',
      type: 'string',
      default: 'server',
      enum: ['server', 'client'],
    },
    cert: certSchema,
    key: keySchema,
    sni: hostSchema,
    snis: { type: 'array', items: hostSchema, minItems: 1 },
    certs: { type: 'array', items: certSchema },
    keys: { type: 'array', items: keySchema },
    client: {
      type: 'object',
      properties: {
        ca: pemSchema(128),
        depth: { type: 'integer', minimum: 0, default: 1 },
        skip_mtls_uri_regex: {
          type: 'array',
          minItems: 1,
          uniqueItems: true,
          items: { description: 'paths that need no client certificate', type: 'string' },
        },
      },
      required: ['ca'],
    },
    status: { description: '1 to enable, 0 to disable', type: 'integer', enum: [1, 0], default: 1 },
    ssl_protocols: {
      description: 'versions of TLS',
      type: 'array',
      maxItems: 3,
      uniqueItems: true,
      items: { enum: ['TLSv1.1', 'TLSv1.2', 'TLSv1.3'] },
    },
  },
  if: { properties: { type: { enum: ['server'] } } },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { oneOf: [{ required: ['sni', 'key', 'cert'] }, { required: ['snis', 'key', 'cert'] }] },
  else: { required: ['key', 'cert'] },
  additionalProperties: false,
}

export const ssl = defineKind({
  name: 'ssls',
  noun: 'ssl',
  schemaName: 'ssl',
  schema,
  check,
  unsupported: (value) => secretReferenceRefusal(value, ''),
  seal,
  show: ({ key, keys, ...shown }) => shown,
  normalize,
})

function check(value: JsonObject, context: CheckContext): string | undefined {
  if (secretReferenceRefusal(value, '') !== undefined) return undefined
  const fault = pairFault(value['cert'] as string, value['key'] as string, context)
  if (fault !== undefined || value['type'] === 'client') return fault
  const certs = textsIn(value['certs'])
  const keys = textsIn(value['keys'])
  if (certs.length !== keys.length) return 'mismatched number of certs and keys'
  for (const [at, cert] of certs.entries()) {
    const inPair = pairFault(cert, keys[at], context)
    if (inPair !== undefined) return `failed to handle cert-key pair[${at + 1}]: ${inPair}`
  }
  const client = value['client'] as JsonObject | undefined
  const inClient = client === undefined ? undefined : pairFault(client['ca'] as string, undefined, context)
  if (inClient !== undefined) return `failed to validate client_cert: ${inClient}`
  return patternFault(textsIn(client?.['skip_mtls_uri_regex']))
}

function patternFault(patterns: readonly string[]): string | undefined {
  for (const [at, pattern] of patterns.entries()) {
    try {
      RE2JS.compile(pattern)
    } catch (error) {
      return `invalid client.skip_mtls_uri_regex[${at}]: ${(error as Error).message}`
    }
  }
  return undefined
}

function seal(value: JsonObject, context: CheckContext): JsonObject {
  const sealed = { ...value }
  if (typeof value['key'] === 'string') sealed['key'] = sealPrivateKey(context.keyring, value['key'])
  if (value['keys'] !== undefined) {
    sealed['keys'] = textsIn(value['keys']).map((key) => sealPrivateKey(context.keyring, key))
  }
  return sealed
}

function normalize(value: JsonObject, context: CheckContext, id: string): JsonObject {
  const { type, status, sni, snis, cert, key, certs, keys, client, ssl_protocols } = withDefaults(schema, value)
  const names = sni === undefined ? textsIn(snis) : [sni as string]
  const isServer = type === 'server'
  const allCerts = [cert as string, ...(isServer ? textsIn(certs) : [])]
  const allKeys = [key as string, ...(isServer ? textsIn(keys) : [])]
  return {
    id,
    type: type as Json,
    status: status as Json,
    snis: isServer ? names.map(canonicalName) : [],
    pairs: allCerts.map((text, at) => ({
      cert: certificateText(text, context),
      key: privateKeyText(allKeys[at] as string, context),
    })),
    ...(client === undefined || !isServer ? {} : { client: openClient(client as JsonObject, context) }),
    ...(ssl_protocols === undefined ? {} : { ssl_protocols }),
  }
}

function openClient(client: JsonObject, context: CheckContext): JsonObject {
  return { ...client, ca: certificateText(client['ca'] as string, context) }
}

function textsIn(value: Json | undefined): string[] {
  return (value ?? []) as string[]
}
