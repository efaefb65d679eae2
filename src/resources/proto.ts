/**
 * Protobuf definitions for transcoding. Only their form is checked: what they define is read by the plugin that uses
 * them, which this version does not have.
 */
import { describedSchema } from './common-fields.ts'
import { defineKind } from './define-kind.ts'

export const proto = defineKind({
  name: 'protos',
  noun: 'proto',
  schemaName: 'proto',
  schema: {
    type: 'object',
    properties: {
      ...describedSchema,
      content: {
        description: 'text of one .proto file, or a FileDescriptorSet in base64',
        type: 'string',
        minLength: 1,
        maxLength: 1024 * 1024,
      },
    },
    required: ['content'],
    additionalProperties: false,
  },
  without: ['PATCH'],
})
