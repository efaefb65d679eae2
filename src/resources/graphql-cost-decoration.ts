/** What fields of a service's GraphQL schema cost. Only the limit of GraphQL queries uses it, which is not built here. */
import type { JsonSchema } from '../base/json.ts'
import { describedSchema, idSchema } from './common-fields.ts'
import { defineKind } from './define-kind.ts'

const factor: JsonSchema = { type: 'number', minimum: 0, default: 1 }
const argumentNames: JsonSchema = { type: 'array', items: { type: 'string' } }

export const graphqlCostDecoration = defineKind({
  name: 'graphql_cost_decorations',
  noun: 'graphql_cost_decoration',
  schemaName: 'graphql_cost_decoration',
  schema: {
    type: 'object',
    properties: {
      ...describedSchema,
      service_id: idSchema,
      field_path: { description: 'Type, or Type.field[.field…]', type: 'string', minLength: 1 },
      add_value: factor,
      add_arguments: argumentNames,
      mul_value: factor,
      mul_arguments: argumentNames,
    },
    required: ['field_path'],
    additionalProperties: false,
  },
  parent: 'services',
})
