import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestName } from '../../../../src/config/nearest-name.ts'

const known = ['proxy_mode', 'proxy_cache', 'node_listen', 'id']

test('a slip of the pen finds the name that was meant', () => {
  assert.equal(nearestName('proxy_mod', known), 'proxy_mode')
  assert.equal(nearestName('porxy_mode', known), 'proxy_mode')
  assert.equal(nearestName('Node_Listen', known), 'node_listen')
  assert.equal(nearestName('nodelisten', known), 'node_listen')
  assert.equal(nearestName('di', known), 'id')
})

test('a name of another kind finds nothing', () => {
  assert.equal(nearestName('lua_shared_dict', known), undefined)
  assert.equal(nearestName('x', known), undefined)
  assert.equal(nearestName('x', []), undefined)
})
