import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Build } from '../../../../src/plugin/plugin.ts'
import { publicApi } from '../../../../src/plugins/public-api.ts'
import { httpExchange } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

test('what is offered under the path of the request, or under the one that is configured, is the answer', async () => {
  const asked: string[] = []
  const answer = { status: 200, body: 'numbers' }
  const build = {
    publicApi: (method: string, path: string) => {
      asked.push(`${method} ${path}`)
      return () => Promise.resolve(answer)
    },
  } as unknown as Build
  const exchange = httpExchange({ target: '/own?x=1' })
  assert.equal(await publicApi.create({}, build).access?.(exchange), answer)
  assert.equal(await publicApi.create({ uri: '/other' } as never, build).access?.(exchange), answer)
  assert.deepEqual(asked, ['GET /own', 'GET /other'])
})

test('where nothing is offered the answer is 404', async () => {
  const bench = new PluginBench([publicApi])
  const { status, body } = await bench.run({ 'public-api': {} }, { target: '/apisix/plugin/jwt/sign' })
  assert.equal(status, 404)
  assert.match(body, /404 Not Found/)
  bench.close()
})
