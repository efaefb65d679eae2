import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublicApis } from '../../../../src/threads/public-apis.ts'

const uri = '/apisix/prometheus/metrics'
const conf = { plugins: ['prometheus', 'public-api'], pluginAttributes: {} }

test('the numbers are offered under their path, to those who read, while their plugin is enabled', () => {
  const apis = new PublicApis(() => assert.fail('nobody asked'))
  assert.notEqual(apis.find(conf, 'GET', uri), undefined)
  assert.notEqual(apis.find(conf, 'HEAD', uri), undefined)
  assert.equal(apis.find(conf, 'POST', uri), undefined)
  assert.equal(apis.find(conf, 'GET', '/other'), undefined)
  assert.equal(apis.find({ ...conf, plugins: ['public-api'] }, 'GET', uri), undefined)
  const moved = { ...conf, pluginAttributes: { prometheus: { export_uri: '/numbers' } } }
  assert.notEqual(apis.find(moved, 'GET', '/numbers'), undefined)
  assert.equal(apis.find(moved, 'GET', uri), undefined)
})

test('who asks while a question is open shares its answer', async () => {
  let questions = 0
  const apis = new PublicApis(() => questions++)
  const find = () => apis.find(conf, 'GET', uri)
  const both = [find()?.(), find()?.()]
  apis.told('a 1\n')
  const headers = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }
  assert.deepEqual(await Promise.all(both), Array(2).fill({ status: 200, headers, body: 'a 1\n' }))
  assert.equal(questions, 1)
  const later = find()?.()
  apis.told(undefined)
  assert.deepEqual(await later, { status: 500 })
  assert.equal(questions, 2)
  apis.told('nobody waits')
})
