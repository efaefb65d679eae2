import assert from 'node:assert/strict'
import { test } from 'node:test'
import { echo } from '../../../../src/plugins/echo.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const cases: readonly [conf: object, body: string][] = [
  [{ before_body: 'a ' }, 'a one two'],
  [{ after_body: ' z' }, 'one two z'],
  [{ body: 'else' }, 'else'],
  [{ before_body: '<', body: 'else', after_body: '>' }, '<else>'],
]

for (const [conf, body] of cases) {
  test(`an answer under ${JSON.stringify(conf)} reads ${body}`, async () => {
    const bench = new PluginBench([echo])
    const upstream = { body: ['one ', 'two'], headers: { 'content-length': '7' } }
    const passage = await bench.run({ echo: { ...conf } }, {}, upstream)
    assert.equal(passage.body, body)
    assert.equal(passage.headers.get('content-length'), undefined)
    bench.close()
  })
}

test('fields of the configuration take the place of those of the answer', async () => {
  const bench = new PluginBench([echo])
  const conf = { body: 'b', headers: { Location: 'https://a.test', 'X-Number': 5 } }
  const passage = await bench.run({ echo: conf }, {}, { headers: { location: 'https://b.test' } })
  assert.deepEqual([passage.headers.all('location'), passage.headers.get('x-number')], [['https://a.test'], '5'])
  bench.close()
})
