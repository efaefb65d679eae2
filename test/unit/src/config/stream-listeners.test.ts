import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListenEntry } from '../../../../src/config/boot-apisix.ts'
import { type BootConf, bootSchema } from '../../../../src/config/boot-schema.ts'
import { isAddress, ListenError, streamListeners, streamPortRanges } from '../../../../src/config/stream-listeners.ts'

type Entry = number | string | ListenEntry

function confWith(tcp: readonly Entry[], udp: readonly Entry[] = [], ipv6 = true): BootConf {
  const { apisix, ...rest } = bootSchema.fallback
  return {
    ...rest,
    apisix: { ...apisix, proxy_mode: 'stream' as const, enable_ipv6: ipv6, stream_proxy: { tcp, udp } },
  }
}

const listen = (conf: BootConf, ipv6 = true) =>
  streamListeners(conf, { ipv6 }).map(
    ({ transport, host, port, tls }) => `${transport} ${host} ${port}${tls ? ' tls' : ''}`,
  )

test('every form of an entry is written out', () => {
  const tcp: Entry[] = [
    9100,
    '9101',
    '127.0.0.1:9200',
    '[::1]:9300',
    '2000-2002',
    '10.0.0.1:4000-4001',
    { addr: 9443, tls: true },
  ]
  assert.deepEqual(listen(confWith(tcp, [9100, '127.0.0.1:5353'])), [
    'tcp :: 9100',
    'tcp :: 9101',
    'tcp 127.0.0.1 9200',
    'tcp ::1 9300',
    'tcp :: 2000',
    'tcp :: 2001',
    'tcp :: 2002',
    'tcp 10.0.0.1 4000',
    'tcp 10.0.0.1 4001',
    'tcp :: 9443 tls',
    'udp :: 9100',
    'udp 127.0.0.1 5353',
  ])
})

test('without IPv6, in the file or in the system, an entry without address is of IPv4', () => {
  assert.deepEqual(listen(confWith([9100], [], false)), ['tcp 0.0.0.0 9100'])
  assert.deepEqual(listen(confWith([9100]), false), ['tcp 0.0.0.0 9100'])
})

test('each listener knows the place it was written in', () => {
  const [first, second] = streamListeners(confWith(['1000-1001']))
  assert.equal(first?.path, 'apisix.stream_proxy.tcp[0]')
  assert.equal(second?.path, first?.path)
})

test('a wrong entry names its place', () => {
  for (const entry of ['', 'port', '127.0.0.1:', '9-', '20-10', '70000', '::1:9100', '[::1]', '1-70000', 'a:b:c']) {
    assert.throws(
      () => streamListeners(confWith([9100, entry])),
      (error) => {
        assert.ok(error instanceof ListenError)
        assert.equal(error.path, 'apisix.stream_proxy.tcp[1]')
        return true
      },
      entry,
    )
  }
})

test('the ports that routes may open are ranges, none by default', () => {
  const conf = bootSchema.fallback
  assert.deepEqual(streamPortRanges(conf), [])
  const sluice = { ...conf.sluice, stream_ports: [9100, '9200-9299'] }
  assert.deepEqual(streamPortRanges({ ...conf, sluice }), [
    { from: 9100, to: 9100 },
    { from: 9200, to: 9299 },
  ])
})

test('addresses are told from names', () => {
  for (const yes of ['127.0.0.1', '0.0.0.0', '::', '::1', 'fe80::1', '::ffff:1.2.3.4']) assert.ok(isAddress(yes), yes)
  for (const no of ['localhost', '256.1.1.1', '1.2.3', 'a:b', ':::', '']) assert.ok(!isAddress(no), no)
})
