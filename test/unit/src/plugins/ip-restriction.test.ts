import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipRestriction } from '../../../../src/plugins/ip-restriction.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

test('a request is let in by the list of addresses that it names, or kept out by the other', async () => {
  const bench = new PluginBench([ipRestriction])
  const ask = async (conf: object, remoteAddress: string) => {
    const { status, body } = await bench.run({ 'ip-restriction': { ...conf } }, { remoteAddress })
    return [status, body]
  }
  const refused = '{"message":"Your IP address is not allowed"}\n'
  assert.deepEqual(await ask({ whitelist: ['10.0.0.0/8'] }, '10.1.2.3'), [200, 'upstream'])
  assert.deepEqual(await ask({ whitelist: ['10.0.0.0/8'] }, '11.1.2.3'), [403, refused])
  assert.deepEqual(await ask({ blacklist: ['::1'] }, '::1'), [403, refused])
  assert.deepEqual(await ask({ blacklist: ['::1'] }, '::2'), [200, 'upstream'])
  const other = { blacklist: ['::1'], message: 'no', response_code: 404 }
  assert.deepEqual(await ask(other, '::1'), [404, '{"message":"no"}\n'])
  bench.close()
})

test('the address that another plugin has settled on is the one that counts', async () => {
  const bench = new PluginBench([ipRestriction])
  const { httpExchange } = await import('../../../support/http-exchange.ts')
  const exchange = httpExchange({ remoteAddress: '127.0.0.1' })
  exchange.remoteAddress = '10.0.0.1'
  assert.equal((await bench.run({ 'ip-restriction': { blacklist: ['10.0.0.1'] } }, exchange)).status, 403)
  bench.close()
})

test('a client whose address is not known, since it has gone, is let in by neither list', async () => {
  const bench = new PluginBench([ipRestriction])
  for (const list of ['whitelist', 'blacklist']) {
    const { status } = await bench.run({ 'ip-restriction': { [list]: ['10.0.0.0/8'] } }, { remoteAddress: '' })
    assert.equal(status, 403, list)
  }
  bench.close()
})
