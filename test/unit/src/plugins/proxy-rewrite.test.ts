import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyRewrite } from '../../../../src/plugins/proxy-rewrite.ts'
import { linesOf, type TestRequest } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

async function rewritten(conf: object, asked: TestRequest = {}) {
  const bench = new PluginBench([proxyRewrite])
  const { exchange } = await bench.run({ 'proxy-rewrite': { ...conf } }, asked)
  bench.close()
  return exchange
}

const places: readonly [conf: object, target: string, uri: string | undefined][] = [
  [{ uri: '/new' }, '/old?a=1', '/new?a=1'],
  [{ uri: '/new' }, '/old', '/new'],
  [{ uri: '/new?b=2' }, '/old?a=1', '/new?b=2&a=1'],
  [{ uri: '/$arg_to/x' }, '/old?to=there', '/there/x?to=there'],
  [{ uri: '/a b' }, '/old', '/a%20b'],
  [{ regex_uri: ['^/iresty/(.*)/(.*)', '/$1-$2'] }, '/iresty/a/b?q', '/a-b?q'],
  [{ regex_uri: ['b+', 'x'] }, '/abbc/d', '/axc/d'],
  [{ regex_uri: ['^/no', '/1', '^/old(.*)', '/2$1'] }, '/older', '/2er'],
  [{ regex_uri: ['^/no', '/1'] }, '/old', undefined],
  [{ regex_uri: ['^/(.*)', '/x/$1'] }, '/a%3Fb%20c', '/x/a%3Fb%20c'],
  [{ uri: '/wins', regex_uri: ['^/old', '/loses'] }, '/old', '/wins'],
  [{ use_real_request_uri_unsafe: true, method: 'GET' }, '/a/../b%2F?x=1', '/a/../b%2F?x=1'],
  [{ use_real_request_uri_unsafe: true, regex_uri: ['^/a', '/z'] }, '/a/%2e?x=1', '/z/%2e?x=1'],
]

for (const [conf, target, uri] of places) {
  test(`${target} under ${JSON.stringify(conf)} goes to ${uri ?? 'where it was'}`, async () => {
    assert.equal((await rewritten(conf, { target })).outgoing.uri, uri)
  })
}

test('method and Host are those of the configuration', async () => {
  const exchange = await rewritten({ method: 'PUT', host: 'b.test:81' }, { host: 'a.test' })
  assert.deepEqual([exchange.request.method, exchange.outgoing.host], ['PUT', 'b.test:81'])
})

test('fields are added, set and removed in this order, with variables and groups in them', async () => {
  const headers = {
    add: { 'X-Add': ['one', '$arg_a'], 'X-Gone': 'soon' },
    set: { 'X-Set': '$1-$remote_addr', 'X-Empty': '$arg_none', 'X-Both': ['1', 2] },
    remove: ['X-Gone', 'Cookie'],
  }
  const conf = { regex_uri: ['^/(\\w+)/.*', '/$1'], headers }
  const exchange = await rewritten(conf, {
    target: '/part/x?a=5',
    remoteAddress: '10.0.0.1',
    headers: { 'x-add': 'zero', 'x-set': 'old', cookie: 'a=b' },
  })
  assert.deepEqual(
    linesOf(exchange.request.headers).filter((line) => !line.startsWith('Host')),
    ['x-add: zero', 'X-Add: one', 'X-Add: 5', 'X-Set: part-10.0.0.1', 'X-Empty: ', 'X-Both: 1', 'X-Both: 2'],
  )
})

test('the flat form of fields sets', async () => {
  const exchange = await rewritten({ headers: { 'X-A': 'new', 'X-N': 3 } }, { headers: { 'x-a': 'old' } })
  assert.deepEqual([exchange.request.headers.all('x-a'), exchange.request.headers.get('x-n')], [['new'], '3'])
})

test('a Host among the fields is the one that goes upstream', async () => {
  const exchange = await rewritten({ headers: { set: { Host: 'c.test' } } }, { host: 'a.test' })
  assert.equal(exchange.outgoing.host, 'c.test')
})
