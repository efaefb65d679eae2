/** request-validation of fields and of bodies. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [
    { body_schema: {} },
    { header_schema: { type: 'object', required: ['x-token'], properties: { 'x-token': { type: 'string' } } } },
    { body_schema: { $schema: 'http://json-schema.org/draft-04/schema#', $id: 'a', properties: { a: { default: 1 } } } },
    { body_schema: { $id: 'a' }, rejected_code: 422, rejected_msg: 'no', max_req_body_size: 10 },
  ],
  refused: [
    [{}, 'object matches none of the required'],
    [{ body_schema: { type: 'other' } }, 'body_schema: schema is invalid'],
    [{ header_schema: { properties: [] } }, 'header_schema: schema is invalid'],
    [{ body_schema: { $ref: 'http://127.0.0.1/a.json' } }, "body_schema: can't resolve reference"],
    [{ body_schema: {}, rejected_code: 199 }, 'property "rejected_code" validation failed'],
    [{ body_schema: {}, rejected_msg: '' }, 'property "rejected_msg" validation failed'],
    [{ body_schema: {}, max_req_body_size: 0 }, 'property "max_req_body_size" validation failed'],
  ],
}
