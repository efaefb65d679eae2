/** Secret managers, as resources: where they are and how to log in. They are stored; nothing asks them in this version. */
import type { JsonObject, JsonSchema } from '../base/json.ts'
import { compileSchema } from '../base/json-schema.ts'
import { defineKind, withDefaults } from './define-kind.ts'

const text: JsonSchema = { type: 'string' }

/** By manager, which is the first part of the id. Other fields are let through, as in APISIX. */
const managers: Readonly<Record<string, JsonSchema>> = {
  vault: {
    type: 'object',
    properties: {
      uri: { type: 'string', pattern: '^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?' },
      prefix: text,
      token: text,
      namespace: text,
    },
    required: ['uri', 'prefix', 'token'],
  },
  aws: {
    type: 'object',
    properties: {
      access_key_id: text,
      secret_access_key: text,
      session_token: text,
      region: { type: 'string', default: 'us-east-1' },
      endpoint_url: { type: 'string', pattern: '^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?' },
    },
    required: ['access_key_id', 'secret_access_key'],
  },
  gcp: {
    type: 'object',
    properties: {
      auth_config: {
        type: 'object',
        properties: {
          client_email: text,
          private_key: text,
          project_id: text,
          token_uri: { type: 'string', default: 'https://oauth2.googleapis.com/token' },
          scope: {
            type: 'array',
            items: text,
            default: ['https://www.googleapis.com/auth/cloud-platform'],
          },
          entries_uri: { type: 'string', default: 'https://secretmanager.googleapis.com/v1' },
        },
        required: ['client_email', 'private_key', 'project_id'],
      },
      ssl_verify: { type: 'boolean', default: true },
      auth_file: text,
    },
    oneOf: [{ required: ['auth_config'] }, { required: ['auth_file'] }],
  },
}

export const secret = defineKind({
  name: 'secrets',
  noun: 'secret',
  schemaName: 'secret',
  schema: { type: 'object' },
  without: ['POST'],
  idFrom: 'manager',
  check: (value, _context, id) => {
    const schema = managerSchema(id)
    if (schema === undefined) return `invalid secret manager: ${managerOf(id)}`
    const fault = compileSchema(schema).check(value)
    return fault === undefined ? undefined : `invalid configuration: ${fault}`
  },
  normalize: (value: JsonObject, _context, id) => ({ ...withDefaults(managerSchema(id) ?? {}, value), id }),
})

function managerOf(id: string): string {
  return id.split('/')[0] as string
}

function managerSchema(id: string): JsonSchema | undefined {
  const manager = managerOf(id)
  return Object.hasOwn(managers, manager) ? managers[manager] : undefined
}
