import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientControl } from '../../../../src/plugins/client-control.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

test('a body that is announced too large is refused, any other is limited as it comes', async () => {
  const bench = new PluginBench([clientControl])
  const run = (conf: object, body: string) =>
    bench.run({ 'client-control': { ...conf } }, { method: 'POST', body, headers: { host: 'a.test' } })
  assert.equal((await run({ max_body_size: 5 }, '12345')).status, 200)
  const refused = await run({ max_body_size: 5 }, '123456')
  assert.equal(refused.status, 413)
  assert.match(refused.body, /413 Request Entity Too Large/)
  assert.equal((await run({ max_body_size: 0 }, '123456')).status, 200)
  assert.equal((await run({}, '123456')).status, 200)
  bench.close()
})
