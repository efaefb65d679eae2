import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uriBlocker } from '../../../../src/plugins/uri-blocker.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const cases: readonly [target: string, conf: object, status: number, body?: RegExp][] = [
  ['/root.exe?a=a', { block_rules: ['root.exe', 'root.m+'] }, 403, /403 Forbidden/],
  ['/rootxmmm', { block_rules: ['root.m+'] }, 403, /403 Forbidden/],
  ['/other', { block_rules: ['root.m+'] }, 200],
  ['/x?name=SELECT', { block_rules: ['select'] }, 200],
  ['/x?name=SELECT', { block_rules: ['select'], case_insensitive: true }, 403],
  ['/x?a=1', { block_rules: ['a=1$'], rejected_code: 401, rejected_msg: 'no' }, 401, /^\{"error_msg":"no"\}\n$/],
]

for (const [target, conf, status, body = /./] of cases) {
  test(`${target} under ${JSON.stringify(conf)}: ${status}`, async () => {
    const bench = new PluginBench([uriBlocker])
    const passage = await bench.run({ 'uri-blocker': { ...conf } }, { target })
    assert.equal(passage.status, status)
    assert.match(passage.body, body)
    bench.close()
  })
}
