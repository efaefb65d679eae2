import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uaRestriction } from '../../../../src/plugins/ua-restriction.ts'
import type { Fields } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const refused = '{"message":"Not allowed"}\n'
const cases: readonly [what: string, conf: object, headers: Fields, status: number, body?: string][] = [
  ['an agent on the deny list', { denylist: ['bad-bot'] }, { 'user-agent': 'a bad-bot/1' }, 403, refused],
  ['an agent that is not', { denylist: ['bad-bot'] }, { 'user-agent': 'good' }, 200],
  ['a pattern', { denylist: ['(Baidu)/(\\d+)'] }, { 'user-agent': 'Baidu/3.0' }, 403, refused],
  ['case, which matters', { denylist: ['bad'] }, { 'user-agent': 'BAD' }, 200],
  ['an agent on the allow list', { allowlist: ['my-bot'] }, { 'user-agent': 'my-bot2' }, 200],
  ['an agent missing there', { allowlist: ['my-bot'] }, { 'user-agent': 'other' }, 403, refused],
  ['no agent at all', { denylist: ['bad'] }, {}, 403, refused],
  ['no agent, bypassed', { denylist: ['bad'], bypass_missing: true }, {}, 200],
  ['another message', { denylist: ['bad'], message: 'go' }, { 'user-agent': 'bad' }, 403, '{"message":"go"}\n'],
  [
    'several fields of which one is denied',
    { denylist: ['bad'] },
    [
      ['user-agent', 'fine'],
      ['user-agent', 'bad'],
    ],
    403,
    refused,
  ],
]

for (const [what, conf, headers, status, body = 'upstream'] of cases) {
  test(`${what}: ${status}`, async () => {
    const bench = new PluginBench([uaRestriction])
    const passage = await bench.run({ 'ua-restriction': { ...conf } }, { headers })
    assert.deepEqual([passage.status, passage.body], [status, body])
    bench.close()
  })
}
