import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requestId } from '../../../../src/plugins/request-id.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const shapes: readonly [conf: object, shape: RegExp][] = [
  [{}, uuid],
  [{ algorithm: 'uuidv7' }, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  [{ algorithm: 'nanoid' }, /^[\w-]{21}$/],
  [{ algorithm: 'ksuid' }, /^[0-9A-Za-z]{27}$/],
  [{ algorithm: 'range_id' }, /^[0-9A-Za-z]{16}$/],
  [{ algorithm: 'range_id', range_id: { char_set: 'abcdef', length: 8 } }, /^[a-f]{8}$/],
]

for (const [conf, shape] of shapes) {
  test(`an id under ${JSON.stringify(conf)} looks like ${shape.source}, and no two are alike`, async () => {
    const bench = new PluginBench([requestId])
    const chain = bench.chain({ 'request-id': { ...conf } })
    const first = await bench.run(chain)
    const second = await bench.run(chain)
    const id = first.exchange.request.headers.get('x-request-id') ?? ''
    assert.match(id, shape)
    assert.notEqual(second.exchange.request.headers.get('x-request-id'), id)
    assert.equal(first.headers.get('x-request-id'), id)
    assert.equal(first.exchange.variable('apisix_request_id'), id)
    bench.close()
  })
}

test("the client's own id is kept", async () => {
  const bench = new PluginBench([requestId])
  const passage = await bench.run({ 'request-id': { header_name: 'X-Id' } }, { headers: { 'x-id': 'mine' } })
  assert.equal(passage.exchange.request.headers.get('x-id'), 'mine')
  assert.equal(passage.headers.get('x-id'), 'mine')
  bench.close()
})

test('an id of the answer is left, and none is added where that is switched off', async () => {
  const bench = new PluginBench([requestId])
  const kept = await bench.run({ 'request-id': {} }, {}, { headers: { 'x-request-id': 'theirs' } })
  assert.deepEqual(kept.headers.all('x-request-id'), ['theirs'])
  const silent = await bench.run({ 'request-id': { include_in_response: false } })
  assert.equal(silent.headers.get('x-request-id'), undefined)
  bench.close()
})
