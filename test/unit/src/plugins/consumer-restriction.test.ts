import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerRestriction } from '../../../../src/plugins/consumer-restriction.ts'
import { httpExchange } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const forbidden = '{"message":"The consumer_name is forbidden."}\n'
const passes: readonly [conf: object, username: string, method: string, status: number, body?: string][] = [
  [{ whitelist: ['jack'] }, 'jack', 'GET', 200],
  [{ whitelist: ['jack'] }, 'rose', 'GET', 403, forbidden],
  [{ blacklist: ['jack'] }, 'jack', 'GET', 403, forbidden],
  [{ blacklist: ['jack'] }, 'rose', 'GET', 200],
  [{ blacklist: ['jack'], whitelist: ['jack'] }, 'jack', 'GET', 403, forbidden],
  [{ whitelist: ['jack'], allowed_by_methods: [{ user: 'jack', methods: ['PUT'] }] }, 'jack', 'GET', 200],
  [{ whitelist: ['jack'], allowed_by_methods: [{ user: 'rose', methods: ['GET'] }] }, 'rose', 'GET', 403, forbidden],
  [{ allowed_by_methods: [{ user: 'jack', methods: ['PUT'] }] }, 'jack', 'PUT', 200],
  [{ allowed_by_methods: [{ user: 'jack', methods: ['PUT'] }] }, 'jack', 'GET', 403, forbidden],
  [{ allowed_by_methods: [{ user: 'jack', methods: ['PUT'] }] }, 'rose', 'GET', 200],
  [{ whitelist: ['a'], rejected_code: 401, rejected_msg: 'go' }, 'b', 'GET', 401, '{"message":"go"}\n'],
]

for (const [conf, username, method, status, body = 'upstream'] of passes) {
  test(`${method} of ${username} under ${JSON.stringify(conf)}: ${status}`, async () => {
    const bench = new PluginBench([consumerRestriction])
    const exchange = httpExchange({ method })
    exchange.consumer = { username, groupId: 'g1', credentialId: undefined, labels: {} }
    const passage = await bench.run({ 'consumer-restriction': { ...conf } }, exchange)
    assert.deepEqual([passage.status, passage.body], [status, body])
    bench.close()
  })
}

test('routes, services and groups are compared in the same way, each by its name in the message', async () => {
  const bench = new PluginBench([consumerRestriction])
  for (const [type, value] of [
    ['route_id', 'r1'],
    ['service_id', 's1'],
    ['consumer_group_id', 'g1'],
  ] as const) {
    const run = async (list: string) => {
      const exchange = httpExchange()
      exchange.route = { id: 'r1', name: undefined, serviceId: 's1', labels: undefined }
      exchange.consumer = { username: 'jack', groupId: 'g1', credentialId: undefined, labels: {} }
      return bench.run({ 'consumer-restriction': { type, blacklist: [list] } }, exchange)
    }
    assert.equal((await run('other')).status, 200)
    assert.equal((await run(value)).body, `{"message":"The ${type} is forbidden."}\n`)
  }
  bench.close()
})

test('a request without what is compared is 401', async () => {
  const bench = new PluginBench([consumerRestriction])
  const { status, body } = await bench.run({ 'consumer-restriction': { whitelist: ['a'] } })
  const message = 'The request is rejected, please check the consumer_name for this request'
  assert.deepEqual([status, body], [401, `${JSON.stringify({ message })}\n`])
  bench.close()
})
