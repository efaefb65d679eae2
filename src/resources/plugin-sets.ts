/** The kinds that are little more than a set of plugins: global rules, plugin configs, consumer groups. */
import type { JsonObject, JsonSchema } from '../base/json.ts'
import { describedSchema, idSchema, labelsSchema, nameSchema, pluginsSchema, timesSchema } from './common-fields.ts'
import { defineKind } from './define-kind.ts'
import type { CheckContext } from './kind.ts'
import { pluginReferences, unsupportedInPlugins } from './plugin-references.ts'

const shared = {
  references: (value: JsonObject) => pluginReferences(value['plugins']),
  unsupported: (value: JsonObject) => unsupportedInPlugins(value['plugins']),
}

const setOf = (properties: JsonSchema): JsonSchema => ({
  type: 'object',
  properties: { id: idSchema, plugins: pluginsSchema, ...timesSchema, ...properties },
  required: ['id', 'plugins'],
  additionalProperties: false,
})

export const globalRule = defineKind({
  ...shared,
  name: 'global_rules',
  noun: 'global rule',
  schemaName: 'global_rule',
  schema: setOf({}),
  without: ['POST'],
  check: repeatedPlugin,
})

export const pluginConfig = defineKind({
  ...shared,
  name: 'plugin_configs',
  noun: 'plugin config',
  schemaName: 'plugin_config',
  // Alone among the kinds, any text is a name.
  schema: setOf({ name: { type: 'string' }, desc: describedSchema.desc, labels: labelsSchema }),
  without: ['POST'],
})

export const consumerGroup = defineKind({
  ...shared,
  name: 'consumer_groups',
  noun: 'consumer group',
  schemaName: 'consumer_group',
  schema: setOf({ name: nameSchema, desc: describedSchema.desc, labels: labelsSchema }),
  without: ['POST'],
})

/** All global rules are merged into one, so a plugin may stand in one of them only. */
function repeatedPlugin(value: JsonObject, context: CheckContext, id: string): string | undefined {
  if (!context.writing) return undefined
  const names = Object.keys(value['plugins'] as JsonObject)
  for (const other of context.lookup.all('global_rules')) {
    if (other.id === id) continue
    const repeated = names.find((name) => Object.hasOwn((other.value['plugins'] ?? {}) as JsonObject, name))
    if (repeated !== undefined) return `plugin '${repeated}' already exists in global rule with id '${other.id}'`
  }
  return undefined
}
