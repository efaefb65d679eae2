/** Plugin metadata: one object for a plugin, shared by all its configurations. Its schema is the plugin's. */
import { defineKind } from './define-kind.ts'
import { secretReferenceRefusal } from './secret-reference.ts'

export const pluginMetadata = defineKind({
  name: 'plugin_metadata',
  noun: 'plugin_metadata',
  schemaName: 'plugin_metadata',
  schema: { type: 'object' },
  without: ['POST', 'PATCH'],
  idFrom: 'plugin',
  times: false,
  check: ({ id: _own, ...value }, context, id) => context.pluginMetadata(id, value),
  unsupported: (value) => secretReferenceRefusal(value, ''),
})
