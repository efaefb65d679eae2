/** Consumers and their credentials: who may call, with the keys that no two of them may share. */
import type { JsonObject, JsonSchema } from '../base/json.ts'
import { describedSchema, descSchema, idSchema, labelsSchema, pluginsSchema, timesSchema } from './common-fields.ts'
import { duplicateKeyFault } from './consumer-keys.ts'
import { defineKind, idsAsText, referencesIn, withDefaults } from './define-kind.ts'
import type { CheckContext } from './kind.ts'
import { pluginReferences, unsupportedInPlugins } from './plugin-references.ts'

const consumerSchema: JsonSchema = {
  type: 'object',
  properties: {
    username: { type: 'string', minLength: 1, maxLength: 256, pattern: '^[a-zA-Z0-9_-]+$' },
    group_id: idSchema,
    plugins: pluginsSchema,
    labels: labelsSchema,
    desc: descSchema,
    ...timesSchema,
    id: idSchema,
  },
  required: ['username'],
  additionalProperties: false,
}

const credentialSchema: JsonSchema = {
  type: 'object',
  properties: {
    ...describedSchema,
    // In a file a credential is an element of `consumers` whose id is the whole path.
    id: {
      anyOf: [
        ...(idSchema['anyOf'] as JsonSchema[]),
        {
          type: 'string',
          minLength: 15,
          maxLength: 128,
          pattern: '^[a-zA-Z0-9-_]+/credentials/[a-zA-Z0-9-_.]+$',
        },
      ],
    },
    plugins: { type: 'object', maxProperties: 1 },
  },
  additionalProperties: false,
}

export const consumer = defineKind({
  name: 'consumers',
  noun: 'consumer',
  schemaName: 'consumer',
  schema: consumerSchema,
  without: ['POST', 'PATCH'],
  idFrom: 'username',
  references: (value) => [
    ...referencesIn(value, { group_id: 'consumer_groups' }),
    ...pluginReferences(value['plugins']),
  ],
  check: (value, context) => pluginFaults(value, context) ?? duplicates(value, context, value['username'] as string),
  unsupported: (value) => unsupportedInPlugins(value['plugins']),
  normalize: (value) => {
    const filled = idsAsText(withDefaults(consumerSchema, value), ['group_id'])
    return { ...filled, id: value['username'] as string }
  },
})

export const credential = defineKind({
  name: 'credentials',
  noun: 'credential',
  schemaName: 'credential',
  schema: credentialSchema,
  without: ['POST', 'PATCH'],
  parent: 'consumers',
  check: (value, context, id) => {
    const names = Object.keys((value['plugins'] ?? {}) as JsonObject)
    if (!names.every(context.isAuth)) return 'only supports auth type plugins in consumer credential'
    return pluginFaults(value, context) ?? duplicates(value, context, id.split('/')[0] as string)
  },
  unsupported: (value) => unsupportedInPlugins(value['plugins']),
})

function pluginFaults(value: JsonObject, context: CheckContext): string | undefined {
  const plugins = value['plugins'] as JsonObject | undefined
  const fault = plugins === undefined ? undefined : context.plugins(plugins, 'consumer')
  return fault === undefined ? undefined : `invalid plugins configuration: ${fault}`
}

function duplicates(value: JsonObject, context: CheckContext, username: string): string | undefined {
  const plugins = value['plugins'] as JsonObject | undefined
  return plugins === undefined || !context.writing ? undefined : duplicateKeyFault(plugins, username, context)
}
