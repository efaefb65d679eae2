import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { createCatalogue } from '../../../../src/plugin/catalogue.ts'
import { trafficSplit } from '../../../../src/plugins/traffic-split/index.ts'
import { kinds } from '../../../../src/resources/index.ts'
import { createResourceCheck } from '../../../../src/snapshot/check.ts'
import { makeCa } from '../../../support/certificates.ts'
import { lookupOf } from '../../../support/resource-checks.ts'

const keyring = ['edd1c9f0985e76a2']
const catalogue = createCatalogue({ built: [trafficSplit], httpEnabled: ['traffic-split'] })
const check = createResourceCheck({ kinds, catalogue, lookup: lookupOf({}), keyring, pluginKeyring: keyring })

const routeTo = (upstream: JsonObject): JsonObject => ({
  uri: '/a',
  upstream: { nodes: { 'own.test:80': 1 } },
  plugins: { 'traffic-split': { rules: [{ weighted_upstreams: [{ upstream }, { weight: 2 }] }] } },
})
type Inside = { rules: { weighted_upstreams: { upstream: JsonObject }[] }[] }
const inside = (value: JsonObject): JsonObject => {
  const { rules } = (value['plugins'] as JsonObject)['traffic-split'] as unknown as Inside
  const [upstream] = rules.flatMap((rule) => rule.weighted_upstreams.map((each) => each.upstream))
  return upstream as JsonObject
}

test('an upstream in a plugin is checked and made normal like any other, and found with its names', () => {
  const value = routeTo({ nodes: { 'inner.test:81': 3 } })
  assert.equal(check.check('routes', '1', value), undefined)
  const normal = check.normalize('routes', '1', value)
  const [node] = inside(normal)['nodes'] as JsonObject[]
  assert.deepEqual([node?.['host'], node?.['port'], node?.['weight']], ['inner.test', 81, 3])
  assert.equal(inside(normal)['scheme'], 'http')
  const hosts = check.upstreamsIn('routes', '1', normal).flatMap(({ nodes }) => nodes.map(({ host }) => host))
  assert.deepEqual(hosts, ['own.test', 'inner.test'])
  const prefix = 'failed to check the configuration of plugin traffic-split err: '
  const fault = check.check('routes', '1', routeTo({ nodes: { 'a:1': 1 }, pass_host: 'rewrite' }))
  assert.equal(fault, `${prefix}\`upstream_host\` can't be empty when \`pass_host\` is \`rewrite\``)
})

test('its private key is sealed at rest, and readable again in its normal form', () => {
  const { cert, key } = makeCa()
  const value = routeTo({ nodes: { 'a:1': 1 }, scheme: 'https', tls: { client_cert: cert, client_key: key } })
  assert.equal(check.check('routes', '1', value), undefined)
  const sealed = check.seal('routes', '1', value)
  const stored = (inside(sealed)['tls'] as JsonObject)['client_key']
  assert.ok(typeof stored === 'string' && !stored.includes('PRIVATE KEY'))
  assert.equal(check.checkLoaded('routes', '1', sealed), undefined)
  assert.equal((inside(check.normalize('routes', '1', sealed))['tls'] as JsonObject)['client_key'], key)
})

test('a plugin that is switched off is not looked into', () => {
  const value = { uri: '/a', plugins: { 'traffic-split': { _meta: { disable: true }, rules: 5 } } }
  assert.equal(check.check('routes', '1', value), undefined)
  assert.deepEqual(check.upstreamsIn('routes', '1', check.normalize('routes', '1', value)), [])
  assert.deepEqual(check.seal('routes', '1', value), value)
})
