/** Socket addresses as the kernel has them, from text and back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wires } from '../../../../../../src/net/wires.ts'

const skip = wires.find(({ name }) => name === 'epoll')?.refusal() ?? false
const { readAddress, writeAddress } =
  skip === false ? await import('../../../../../../src/net/direct/ffi/socket-address.ts') : ({} as never)

test('an address is read back as it was written', { skip }, () => {
  for (const host of [
    '0.0.0.0',
    '127.0.0.1',
    '255.255.255.255',
    '10.200.30.4',
    '::',
    '::1',
    'fe80::1',
    '2001:db8::ff00:42',
  ]) {
    assert.equal(writeAddress(host, 40_000), host.includes(':') ? 28 : 16, host)
    const { host: read, port } = readAddress()
    assert.deepEqual([read, port], [host, 40_000])
  }
})

test('an IPv4-mapped address is shown as the IPv4 address that it is', { skip }, () => {
  assert.equal(writeAddress('::ffff:10.0.0.1', 1), 28)
  assert.equal(readAddress().host, '10.0.0.1')
})

test('what is no numeric address is refused', { skip }, () => {
  const wrong = [
    '',
    '.',
    '1',
    '1.2.3',
    '1.2.3.',
    '1.2.3.4.',
    '1.2.3.4.5',
    '1..2.3',
    '256.1.1.1',
    '1.2.3.1000',
    '01.2.3.4',
  ]
  for (const host of [
    ...wrong,
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.x',
    '1.2.3.-4',
    '１.2.3.4',
    'localhost',
    ':::',
    '1::2::3',
    '::1%nowhere0',
  ]) {
    assert.equal(writeAddress(host, 1), 0, JSON.stringify(host))
  }
})
