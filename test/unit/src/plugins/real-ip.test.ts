import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realIp } from '../../../../src/plugins/real-ip.ts'
import type { TestRequest } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const cases: readonly [what: string, conf: object, asked: TestRequest, address: string, port?: number][] = [
  ['an argument', { source: 'arg_realip' }, { target: '/?realip=1.2.3.4' }, '1.2.3.4', 40_000],
  ['an address with a port', { source: 'arg_realip' }, { target: '/?realip=1.2.3.4:80' }, '1.2.3.4', 80],
  ['IPv6 with a port', { source: 'http_client' }, { headers: { client: '[::1]:80' } }, '::1', 80],
  ['IPv6 alone', { source: 'http_client' }, { headers: { client: 'fe80::2' } }, 'fe80::2', 40_000],
  ['a port too large', { source: 'http_client' }, { headers: { client: '1.2.3.4:65536' } }, '192.0.2.1', 40_000],
  ['no address', { source: 'http_client' }, { headers: { client: 'me' } }, '192.0.2.1', 40_000],
  ['nothing at all', { source: 'http_client' }, {}, '192.0.2.1', 40_000],
  [
    'a peer that may not say so',
    { source: 'arg_realip', trusted_addresses: ['10.0.0.0/8'] },
    { target: '/?realip=1.2.3.4' },
    '192.0.2.1',
  ],
  [
    'a peer that may',
    { source: 'arg_realip', trusted_addresses: ['192.0.2.0/24'] },
    { target: '/?realip=1.2.3.4' },
    '1.2.3.4',
  ],
  [
    'the last of a list',
    { source: 'http_x_forwarded_for' },
    { headers: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2' } },
    '2.2.2.2',
  ],
  [
    'the last field of several',
    { source: 'http_x_forwarded_for' },
    {
      headers: [
        ['x-forwarded-for', '1.1.1.1'],
        ['X-Forwarded-For', '3.3.3.3'],
      ],
    },
    '3.3.3.3',
  ],
  [
    'the last that is not trusted',
    { source: 'http_x_forwarded_for', recursive: true, trusted_addresses: ['192.0.2.1', '2.2.2.2', '3.3.3.3'] },
    { headers: { 'x-forwarded-for': '9.9.9.9, 1.1.1.1, 2.2.2.2, 3.3.3.3' } },
    '1.1.1.1',
  ],
  [
    'the first when all are trusted',
    { source: 'http_x_forwarded_for', recursive: true, trusted_addresses: ['0.0.0.0/0'] },
    { headers: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2' } },
    '1.1.1.1',
  ],
]

for (const [what, conf, asked, address, port] of cases) {
  test(`the client is ${address} for ${what}`, async () => {
    const bench = new PluginBench([realIp])
    const { exchange } = await bench.run(
      { 'real-ip': { ...conf } },
      { remoteAddress: '192.0.2.1', remotePort: 40_000, ...asked },
    )
    assert.equal(exchange.variable('remote_addr'), address)
    if (port !== undefined) assert.equal(exchange.variable('remote_port'), String(port))
    bench.close()
  })
}
