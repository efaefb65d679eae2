/** mocking by example and by schema. */
import type { PluginSamples } from '../../plugin.ts'

const withType = (type: unknown) => ({ response_schema: { properties: { a: { type } as never } } })
let deep: object = { type: 'string' }
for (let level = 0; level < 10; level++) deep = { type: 'array', items: deep }

export const samples: PluginSamples = {
  accepted: [
    { response_example: 'hello $remote_addr' },
    { response_example: '<a/>', content_type: 'text/xml', response_status: 404, with_mock_header: false },
    { response_example: '', response_headers: { 'X-A': '1', 'X-B': 2 } },
    { response_schema: { type: 'object', properties: { a: { type: 'array', items: { type: 'integer' } } } } },
    { response_schema: {}, content_type: 'text/html' },
  ],
  refused: [
    [{}, 'object matches none of the required'],
    [{ response_example: 1 }, 'property "response_example" validation failed'],
    [{ response_example: 'a', content_type: 'image/png' }, 'unsupported content type!'],
    [{ response_example: 'a', response_status: 99 }, 'property "response_status" validation failed'],
    [{ response_example: 'a', response_status: 101 }, 'response_status: 101 is no status of an answer'],
    [{ response_example: 'a', delay: 'x' }, 'property "delay" validation failed'],
    [{ response_example: 'a', response_headers: {} }, 'property "response_headers" validation failed'],
    [{ response_example: 'a', response_headers: { a: [] } }, 'property "response_headers" validation failed'],
    [withType(undefined), 'response_schema.properties.a: type is missing'],
    [{ response_schema: { properties: { a: 1 } } }, 'response_schema.properties.a: not an object'],
    [{ response_schema: { properties: { a: deep as never } } }, 'nested deeper than 8 levels'],
  ],
}
