/** One set of plugins of several resources. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeGlobalRules, mergeLayers } from '../../../../src/plugin/merge.ts'

test('a later layer replaces a plugin as a whole, and each keeps the resource that it stands in', () => {
  const merged = mergeLayers(
    { origin: 'services/1', plugins: { a: { x: 1, y: 1 }, b: { x: 1 } } },
    undefined,
    { origin: 'plugin_configs/1', plugins: undefined },
    { origin: 'routes/1', plugins: { a: { x: 2 }, c: {} } },
  )
  assert.deepEqual(merged, {
    a: { origin: 'routes/1', conf: { x: 2 } },
    b: { origin: 'services/1', conf: { x: 1 } },
    c: { origin: 'routes/1', conf: {} },
  })
})

test('a plugin in two global rules is in neither, and is told', () => {
  const { plugins, repeated } = mergeGlobalRules([
    ['1', { a: { x: 1 }, b: {} }],
    ['2', { a: { x: 2 } }],
    ['3', { a: { x: 3 }, c: {} }],
  ])
  assert.deepEqual(plugins, {
    b: { origin: 'global_rules/1', conf: {} },
    c: { origin: 'global_rules/3', conf: {} },
  })
  assert.deepEqual(repeated, [{ plugin: 'a', rules: ['1', '2', '3'] }])
})
