import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refererRestriction } from '../../../../src/plugins/referer-restriction.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const cases: readonly [referer: string | undefined, conf: object, status: number][] = [
  ['http://xx.com/page', { whitelist: ['xx.com'] }, 200],
  ['https://XX.com:8080/', { whitelist: ['xx.com'] }, 200],
  ['http://a.b.xx.com/', { whitelist: ['*.xx.com'] }, 200],
  ['http://xx.com/', { whitelist: ['*.xx.com'] }, 403],
  ['http://yy.com/', { whitelist: ['xx.com'] }, 403],
  ['http://yy.com/', { blacklist: ['xx.com'] }, 200],
  ['http://xx.com/', { blacklist: ['xx.com'] }, 403],
  ['xx.com', { whitelist: ['xx.com'] }, 403],
  ['http://[', { whitelist: ['xx.com'] }, 403],
  [undefined, { whitelist: ['xx.com'] }, 403],
  [undefined, { whitelist: ['xx.com'], bypass_missing: true }, 200],
  ['nonsense', { blacklist: ['xx.com'], bypass_missing: true }, 200],
]

for (const [referer, conf, status] of cases) {
  test(`a request from ${referer} under ${JSON.stringify(conf)}: ${status}`, async () => {
    const bench = new PluginBench([refererRestriction])
    const headers = referer === undefined ? {} : { referer }
    const passage = await bench.run({ 'referer-restriction': { ...conf } }, { headers })
    const body = status === 200 ? 'upstream' : '{"message":"Your referer host is not allowed"}\n'
    assert.deepEqual([passage.status, passage.body], [status, body])
    bench.close()
  })
}
