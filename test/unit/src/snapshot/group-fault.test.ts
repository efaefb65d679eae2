/** Groups of plugins: one configuration each, whoever is in them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { checkOf, pluginOf } from '../../../support/resource-checks.ts'

const grouped = pluginOf('limit-count', 'http', {
  groupOf: ({ group }: JsonObject) => group as string | undefined,
  encryptedFields: ['secret'],
  schema: {
    type: 'object',
    properties: { key: { type: 'string', default: 'remote_addr' }, secret: { type: 'string' } },
  },
})
const conf = { group: 'a', count: 1, secret: 'sealed' }
const stored = {
  'services/1': { plugins: { 'limit-count': conf } },
  'consumer_groups/1': { plugins: { 'limit-count': { group: 'b', count: 1 } } },
}
const check = checkOf({ plugins: [grouped], stored })
const upstream = { nodes: { '127.0.0.1:80': 1 } }
const fault = (plugin: JsonObject): string | undefined =>
  check.check('routes', '1', { uri: '/', upstream, plugins: { 'limit-count': plugin } })
const mismatch = 'failed to check the configuration of plugin limit-count err: group conf mismatched'

test('what says the same is let in, defaults, order, secrets and _meta aside', () => {
  assert.equal(fault(conf), undefined)
  assert.equal(fault({ key: 'remote_addr', count: 1, secret: 'plain', group: 'a', _meta: { priority: 1 } }), undefined)
})

test('what says something else is refused, wherever the others are', () => {
  assert.equal(fault({ ...conf, count: 2 }), mismatch)
  assert.equal(fault({ ...conf, key: 'uri' }), mismatch)
  assert.equal(fault({ group: 'b', count: 2 }), mismatch)
})

test('other groups and no group do not matter', () => {
  assert.equal(fault({ ...conf, group: 'c', count: 2 }), undefined)
  assert.equal(fault({ count: 2 }), undefined)
})
