/** Plugins whose filters, keys and templates look into the body of a request: it is read before they are asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { GatewayError } from '../../../../src/errors.ts'
import type { Build, Phases } from '../../../../src/plugin/plugin.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'
import { pluginOf } from '../../../support/resource-checks.ts'

const making = (create: (conf: JsonObject, build: Build) => Phases) =>
  new PluginBench(pluginOf('p', 'http', { schema: { type: 'object' }, create } as object))
const form = (body: string) => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: [body.slice(0, 3), body.slice(3)],
})

test('a filter on an argument in the body decides by it', async () => {
  const bench = making(() => ({ access: () => ({ status: 403 }) }))
  const chain = bench.chain({ p: { _meta: { filter: [['post_arg_name', '==', 'jack']] } } })
  assert.equal((await bench.run(chain, form('name=jack'))).status, 403)
  assert.equal((await bench.run(chain, form('name=joe'))).status, 200)
  assert.equal((await bench.run(chain, {})).status, 200)
})

for (const [how, compile] of [
  ['a template', (build: Build) => build.template('$post_arg_name').render],
  [
    'a name',
    (build: Build) => {
      build.asksFor(['post_arg_name'])
      return (lookup: (name: string) => string | undefined) => lookup('post_arg_name')
    },
  ],
] as const) {
  test(`the body is read for ${how} that a phase will ask for, the last one as well`, async () => {
    const seen: (string | undefined)[] = []
    const bench = making((_conf, build) => {
      const read = compile(build)
      return { log: (exchange) => void seen.push(read((name) => exchange.variable(name))) }
    })
    await bench.run({ p: {} }, form('name=jack'))
    assert.deepEqual(seen, ['jack'])
  })
}

test('a body that nobody looks into is not read', async () => {
  const bench = making((_conf, build) => {
    build.template('$arg_name $http_x')
    return { log: () => undefined }
  })
  const { exchange } = await bench.run({ p: {} }, form('name=jack'))
  assert.equal(exchange.request.body.received, 0)
})

test('a client that leaves with half a body ends the exchange, not the worker', async () => {
  const bench = making(() => ({ access: () => ({ status: 403 }) }))
  const request = { ...form('name=jack'), fails: new GatewayError('client_gone') }
  const filter = [['post_arg_name', '==', 'jack']]
  await assert.rejects(bench.run({ p: { _meta: { filter } } }, request), { code: 'client_gone' })
})

test("a consumer's plugin that looks into the body has it read once the consumer is known", async () => {
  const bench = making(() => ({ access: () => ({ status: 403 }) }))
  const filter = [['post_arg_name', '==', 'jack']]
  const consumer = { p: { origin: 'consumers/jack', conf: { _meta: { filter } } } }
  const { chain, lateRewrite } = bench.host.overlay('o', bench.chain({}), {}, consumer as never)
  assert.equal(lateRewrite?.length, 1)
  assert.equal((await bench.run(chain, form('name=jack'))).status, 403)
})
