/** limit-count within one worker: what it counts by, what it answers and tells, what is refused when something is missing. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how users write variables
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import type { Chain } from '../../../../src/plugin/chain.ts'
import { limitCount } from '../../../../src/plugins/limit-count/index.ts'
import type { TestRequest } from '../../../support/http-exchange.ts'
import { type Passage, PluginBench } from '../../../support/plugin-bench.ts'

let bench: PluginBench
const metadata: Record<string, JsonObject> = {}

beforeEach(() => {
  delete metadata['limit-count']
  bench = new PluginBench(limitCount, { metadata })
})
afterEach(() => bench.close())

const most = { count: 2, time_window: 60 }
const chain = (conf: JsonObject, owner?: string): Chain => bench.chain({ 'limit-count': conf }, owner)
async function statuses(by: Chain, ...requests: readonly TestRequest[]): Promise<readonly number[]> {
  const all: number[] = []
  for (const request of requests) all.push((await bench.run(by, request)).status)
  return all
}
const quota = ({ headers }: Passage, prefix = 'X-') =>
  ['limit', 'remaining', 'reset'].map((name) => headers.get(`${prefix}ratelimit-${name}`.toLowerCase()))
const from = (remoteAddress: string): TestRequest => ({ remoteAddress })

test('count requests of a key pass in a window, the rest gets 503 and the page', async () => {
  const by = chain(most)
  assert.deepEqual(await statuses(by, {}, {}, {}), [200, 200, 503])
  const refused = await bench.run(by)
  assert.match(refused.body, /503 Service Temporarily Unavailable/)
  assert.deepEqual(await statuses(by, from('10.0.0.9')), [200])
})

test('rejected_code and rejected_msg make the refusal', async () => {
  const by = chain({ ...most, count: 1, rejected_code: 429, rejected_msg: 'no more' })
  await bench.run(by)
  const { status, body } = await bench.run(by)
  assert.equal(status, 429)
  assert.equal(body, '{"error_msg":"no more"}\n')
})

test('the quota is told on what passes and on what does not, unless that is switched off', async () => {
  const by = chain(most)
  assert.deepEqual(quota(await bench.run(by)), ['2', '1', '60'])
  const [limit, remaining, reset] = quota(await bench.run(by))
  assert.deepEqual([limit, remaining], ['2', '0'])
  assert.match(String(reset), /^59\.\d{1,2}$/)
  assert.deepEqual(quota(await bench.run(by)).slice(0, 2), ['2', '0'])
  const silent = chain({ ...most, show_limit_quota_header: false })
  assert.deepEqual(quota(await bench.run(silent)), [undefined, undefined, undefined])
})

test('plugin metadata names the fields, also while traffic runs', async () => {
  const by = chain(most)
  await bench.run(by)
  metadata['limit-count'] = { limit_header: 'X-A', remaining_header: 'X-B', reset_header: 'X-C' }
  const { headers } = await bench.run(by)
  assert.deepEqual([headers.get('x-a'), headers.get('x-b')], ['2', '0'])
  assert.equal(headers.has('x-ratelimit-limit'), false)
})

for (const [what, conf, requests, expected] of [
  [
    'a variable',
    { key: 'http_user' },
    [{ headers: { user: 'a' } }, { headers: { user: 'b' } }, { headers: { user: 'a' } }],
    [200, 200, 503],
  ],
  [
    'the address where the variable is empty',
    { key: 'http_user' },
    [from('10.0.0.1'), from('10.0.0.2'), from('10.0.0.1')],
    [200, 200, 503],
  ],
  [
    'a combination',
    { key: '$http_user $arg_a', key_type: 'var_combination' },
    [{ target: '/?a=1' }, { target: '/?a=2' }, { target: '/?a=1' }],
    [200, 200, 503],
  ],
  [
    'the address where a combination has no value',
    { key: '$http_user', key_type: 'var_combination' },
    [from('10.0.0.1'), from('10.0.0.2')],
    [200, 200],
  ],
  ['a constant', { key: 'all', key_type: 'constant' }, [from('10.0.0.1'), from('10.0.0.2')], [200, 503]],
] as const) {
  test(`it counts by ${what}`, async () => {
    const by = chain({ count: 1, time_window: 60, ...conf })
    assert.deepEqual(await statuses(by, ...requests), expected)
  })
}

test('count and time_window may come from variables; what is no positive whole number gets 500', async () => {
  const by = chain({ count: '${http_count ?? 2}', time_window: '${http_window ?? 5}' })
  const headers = (fields: Record<string, string>): TestRequest => ({ headers: fields })
  assert.deepEqual(await statuses(by, {}, {}, {}), [200, 200, 503])
  assert.deepEqual(await statuses(by, headers({ count: '3' })), [200])
  for (const count of ['0', '-1', '1.5', 'x', '9007199254740993']) {
    const { status, body } = await bench.run(by, headers({ count }))
    assert.equal(status, 500, count)
    assert.match(body, /500 Internal Server Error/)
  }
  assert.deepEqual(await statuses(by, headers({ window: 'x' })), [500])
  const degrading = chain({ count: '$http_count', time_window: 5, allow_degradation: true })
  assert.deepEqual(await statuses(degrading, {}, {}, {}), [200, 200, 200])
})

test('each rule counts by its own key, the first that is used up ends it, none that fits is 500', async () => {
  const rules = [
    { key: '${http_user}', count: '${http_jack_count}', time_window: 60 },
    { key: '${http_project}', count: 3, time_window: 60, header_prefix: 'Bar' },
  ]
  const by = chain({ rules, rejected_msg: 'rejected' })
  assert.deepEqual(await statuses(by, {}), [500])
  const jack = { headers: { user: 'jack', 'jack-count': '2' } }
  assert.deepEqual(quota(await bench.run(by, jack), 'X-1-'), ['2', '1', '60'])
  assert.deepEqual(await statuses(by, jack, jack), [200, 503])
  const both = { headers: { user: 'joe', 'jack-count': '9', project: 'p' } }
  const passed = await bench.run(by, both)
  assert.deepEqual(quota(passed, 'X-1-').slice(0, 2), ['9', '8'])
  assert.deepEqual(quota(passed, 'X-Bar-').slice(0, 2), ['3', '2'])
  assert.deepEqual(await statuses(by, both, both, both), [200, 200, 503])
  assert.deepEqual(await statuses(by, { headers: { user: 'jack' } }), [500])
})

test('a sliding window fills up like a fixed one', async () => {
  assert.deepEqual(await statuses(chain({ ...most, window_type: 'sliding' }), {}, {}, {}), [200, 200, 503])
})

test('routes count apart, also with the same configuration; in a group they count together', async () => {
  assert.deepEqual(await statuses(chain(most, 'routes/1'), {}, {}, {}), [200, 200, 503])
  assert.deepEqual(await statuses(chain(most, 'routes/2'), {}, {}, {}), [200, 200, 503])
  const grouped = { ...most, group: 'g' }
  assert.deepEqual(await statuses(chain(grouped, 'routes/1'), {}, {}), [200, 200])
  assert.deepEqual(await statuses(chain(grouped, 'routes/2'), {}), [503])
})

test('an edited configuration counts anew, one that was only sent again goes on', async () => {
  assert.deepEqual(await statuses(chain(most), {}, {}, {}), [200, 200, 503])
  assert.deepEqual(await statuses(chain({ time_window: 60, count: 2 }), {}), [503])
  assert.deepEqual(await statuses(chain({ ...most, rejected_msg: 'other' }), {}), [200])
})

test('a Redis that cannot be reached is 500, or lets pass where that is allowed', async () => {
  const redis = { policy: 'redis', redis_host: '127.0.0.1', redis_port: 1, redis_timeout: 200 }
  const { status, body } = await bench.run(chain({ ...most, ...redis }))
  assert.equal(status, 500)
  assert.equal(body, '{"error_msg":"failed to limit count"}\n')
  assert.deepEqual(await statuses(chain({ ...most, ...redis, allow_degradation: true }), {}, {}, {}), [200, 200, 200])
})
