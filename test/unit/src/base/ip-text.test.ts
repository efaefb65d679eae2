/** What counts as an address or a block of addresses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAddressOrBlock, isIpv4, isIpv6 } from '../../../../src/base/ip-text.ts'

test('IPv4 is four decimal numbers below 256 without leading zeros', () => {
  for (const text of ['0.0.0.0', '127.0.0.1', '255.255.255.255']) assert.equal(isIpv4(text), true, text)
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.', '1.2.3.4 ', 'a.b.c.d']) {
    assert.equal(isIpv4(text), false, text)
  }
})

test('IPv6 is eight groups, one gap, or an IPv4 address in the tail', () => {
  const good = [
    '::',
    '::1',
    '1::',
    'fe80::1',
    '1:2:3:4:5:6:7:8',
    '::ffff:1.2.3.4',
    '1:2:3:4:5:6:1.2.3.4',
    '1::2:1.2.3.4',
  ]
  for (const text of good) assert.equal(isIpv6(text), true, text)
  const bad = [
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    '1.2.3.4',
    '[::1]',
  ]
  for (const text of [...bad, '1.2.3.4::', '::1%eth0', 'g::']) assert.equal(isIpv6(text), false, text)
})

test('a block has a length that its family allows', () => {
  for (const text of ['10.0.0.0/8', '::/0', '1.2.3.4', '::1', '1.1.1.1/32', 'fe80::/128']) {
    assert.equal(isAddressOrBlock(text), true, text)
  }
  for (const text of ['10.0.0.0/33', '::/129', '10.0.0.0/', '/8', '10.0.0.0/-1', 'localhost', '1.2.3.4/8/8']) {
    assert.equal(isAddressOrBlock(text), false, text)
  }
})
