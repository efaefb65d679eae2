import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../../../src/base/json.ts'
import type { HeldUpstream } from '../../../../../src/plugin/host.ts'
import { trafficSplit } from '../../../../../src/plugins/traffic-split/index.ts'
import type { TestRequest } from '../../../../support/http-exchange.ts'
import { PluginBench } from '../../../../support/plugin-bench.ts'

/** Upstreams told by their names; those that begin with `no` are not there. */
function namedUpstreams() {
  const held = new Set<object>()
  const hold = (name: string): HeldUpstream => {
    const cell = { current: name.startsWith('no') ? undefined : name }
    held.add(cell)
    return { cell, release: () => held.delete(cell) } as unknown as HeldUpstream
  }
  return {
    held,
    upstreamById: hold,
    upstream: (owner: string, value: JsonObject) => hold(`${owner} ${value['name']}`),
  }
}

const upstream = (name: string): JsonObject => ({ name, nodes: { '127.0.0.1:1': 1 } })
const when = (...vars: Json[][]): JsonObject[] => vars.map((each) => ({ vars: each }))

async function chosen(rules: JsonObject[], asked: TestRequest[]): Promise<readonly (string | undefined)[]> {
  const upstreams = namedUpstreams()
  const bench = new PluginBench([trafficSplit], { upstreams })
  const chain = bench.chain({ 'traffic-split': { rules } })
  const names: (string | undefined)[] = []
  for (const each of asked) {
    const { exchange, status, body } = await bench.run(chain, each)
    names.push(status === 200 ? (exchange.chosenUpstream?.current as string | undefined) : `${status} ${body}`)
  }
  bench.close()
  assert.equal(upstreams.held.size, 0)
  return names
}

test('the first rule that holds decides; if none does, the route does', async () => {
  const rules = [
    { match: when([['arg_name', '==', 'jack']], [['arg_age', '>', 20]]), weighted_upstreams: [{ upstream_id: 1 }] },
    { match: when([['http_x', '==', '1']]), weighted_upstreams: [{ upstream: upstream('inline') }] },
  ]
  const targets = ['/?name=jack', '/?age=21', '/?age=19', '/']
  assert.deepEqual(
    await chosen(
      rules,
      targets.map((target) => ({ target })),
    ),
    ['1', '1', undefined, undefined],
  )
  assert.deepEqual(await chosen(rules, [{ headers: { x: '1' } }]), ['routes/1 traffic-split 1.0 inline'])
  const always = [
    { match: when([]), weighted_upstreams: [{ upstream_id: 'a' }] },
    { weighted_upstreams: [{ upstream_id: 'b' }] },
  ]
  assert.deepEqual(await chosen(always, [{}]), ['a'])
  assert.deepEqual(await chosen([], [{}]), [undefined])
  assert.deepEqual(await chosen([{}], [{}]), [undefined])
})

test('within a rule weights decide, the route having its share', async () => {
  const rules = [{ weighted_upstreams: [{ upstream_id: 'a', weight: 3 }, { upstream: upstream('b'), weight: 2 }, {}] }]
  const names = await chosen(
    rules,
    Array.from({ length: 60 }, () => ({})),
  )
  const count = (name: string | undefined): number => names.filter((each) => each === name).length
  // Only the first round may be partial.
  for (const [name, share] of [
    ['a', 30],
    ['routes/1 traffic-split 0.1 b', 20],
    [undefined, 10],
  ] as const) {
    assert.ok(Math.abs(count(name) - share) <= 2, `${name}: ${count(name)}`)
  }
})

test('an upstream that is missing in a rule that is looked at is told, even if it is not its turn', async () => {
  const message = '500 failed to fetch upstream info by upstream id: none'
  const missing = { weighted_upstreams: [{ upstream_id: 'a' }, { upstream_id: 'none', weight: 0 }] }
  assert.deepEqual(await chosen([missing], [{}, {}]), [message, message])
  const unmatched = { ...missing, match: when([['arg_a', '==', '1']]) }
  assert.deepEqual(await chosen([unmatched], [{}]), [message])
  assert.deepEqual(await chosen([{ weighted_upstreams: [{ upstream_id: 'a' }] }, missing], [{}]), ['a'])
})

test('upstreams in a configuration are found, and changed in a copy', () => {
  const conf = { rules: [{}, { weighted_upstreams: [{ upstream: upstream('a') }, { upstream_id: 1 }] }] }
  const before = structuredClone(conf)
  const names: Json[] = []
  const map = trafficSplit.mapUpstreams as (conf: unknown, change: (value: JsonObject) => JsonObject) => JsonObject
  const after = map(conf, (value) => {
    names.push(value['name'] as string)
    return { changed: true }
  })
  assert.deepEqual(names, ['a'])
  assert.deepEqual(after, {
    rules: [{}, { weighted_upstreams: [{ upstream: { changed: true } }, { upstream_id: 1 }] }],
  })
  assert.deepEqual(conf, before)
})
