/** Addresses and blocks of them, with a plain bit comparison as the oracle. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { IpSet, isAddress, parseAddress } from '../../../../src/base/ip-set.ts'

const addresses: readonly (readonly [string, number | bigint])[] = [
  ['0.0.0.0', 0],
  ['255.255.255.255', 0xffffffff],
  ['10.0.200.1', 0x0a00c801],
  ['::', 0n],
  ['::1', 1n],
  ['1::', 1n << 112n],
  ['2001:db8::7', (0x20010db8n << 96n) + 7n],
  ['2001:DB8:0:0:0:0:0:7', (0x20010db8n << 96n) + 7n],
  ['1:2:3:4:5:6:7::', 0x00010002000300040005000600070000n],
  ['64:ff9b::10.0.0.1', (0x64ff9bn << 96n) + 0x0a000001n],
  ['::ffff:10.0.0.1', 0x0a000001],
  ['::FFFF:a00:1', 0x0a000001],
  ['0:0:0:0:0:ffff:10.0.0.1', 0x0a000001],
]
for (const [text, value] of addresses) {
  test(`${text} is read`, () => {
    assert.equal(parseAddress(text), value)
    assert.ok(isAddress(text))
  })
}

const malformed = [
  '',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.',
  '.1.2.3',
  '1..2.3',
  '256.0.0.1',
  '01.2.3.4',
  '1.2.3.04',
  '1.2.3.4 ',
  ' 1.2.3.4',
  '1.2.3.a',
  '+1.2.3.4',
  '1.2.3.-4',
  ':',
  ':::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '12345::',
  'g::',
  '::1%eth0',
  '[::1]',
  '1.2.3.4::',
  '::1.2.3',
  '::1.2.3.4:5',
  '1:2:3:4:5:6:7:1.2.3.4',
  '1:2:3:4:5:6:7:8::',
  'localhost',
]
for (const text of malformed) {
  test(`${JSON.stringify(text)} is no address`, () => {
    assert.equal(isAddress(text), false)
    assert.equal(new IpSet(['0.0.0.0/0', '::/0']).has(text), false)
  })
}

test('a set holds addresses and blocks of both families', () => {
  const set = new IpSet(['10.0.0.0/8', '192.0.2.7', '2001:db8::/33', '::1', '203.0.113.77/28'])
  const inside = [
    '10.0.0.0',
    '10.255.255.255',
    '192.0.2.7',
    '2001:db8:7fff:ffff::1',
    '0::1',
    '::ffff:10.1.1.1',
    '203.0.113.79',
  ]
  const outside = ['9.255.255.255', '11.0.0.0', '192.0.2.8', '2001:db8:8000::', '::2', '203.0.113.80', '203.0.113.63']
  for (const address of inside) assert.ok(set.has(address), address)
  for (const address of outside) assert.ok(!set.has(address), address)
  assert.equal(set.size, 5)
})

test('blocks of length 0 hold one family each', () => {
  assert.ok(new IpSet(['0.0.0.0/0']).has('255.1.2.3'))
  assert.ok(!new IpSet(['0.0.0.0/0']).has('::1'))
  assert.ok(new IpSet(['::/0']).has('::1'))
  assert.ok(!new IpSet(['::/0']).has('1.2.3.4'))
})

test('a block written as IPv4-mapped holds the IPv4 addresses', () => {
  const set = new IpSet(['::ffff:10.0.0.0/104'])
  assert.ok(set.has('10.9.9.9'))
  assert.ok(!set.has('11.0.0.0'))
})

test('blocks inside others do not cut them short', () => {
  const set = new IpSet(['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.1.2.3/32', '10.0.0.0/8'])
  for (const address of ['10.0.0.1', '10.1.2.3', '10.1.2.4', '10.1.3.0', '10.200.0.0'])
    assert.ok(set.has(address), address)
})

test('an empty set holds nothing', () => {
  assert.equal(new IpSet([]).has('1.2.3.4'), false)
})

for (const entry of [
  '10.0.0.0/33',
  '10.0.0/8',
  '::/129',
  'x',
  '',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '1.2.3.4/ 8',
  '/8',
]) {
  test(`the entry ${JSON.stringify(entry)} is refused by name`, () => {
    assert.throws(() => new IpSet(['10.0.0.1', entry]), { message: `invalid ip address: ${entry}` })
  })
}

test('sets of random blocks hold what a comparison of leading bits says', () => {
  let state = 7
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
  for (let round = 0; round < 50; round += 1) {
    const blocks = Array.from({ length: random(30) }, () => ({
      address: random(2 ** 32) & 0x3fffffff,
      length: 2 + random(31),
    }))
    const set = new IpSet(blocks.map(({ address, length }) => `${dotted(address)}/${length}`))
    for (let probe = 0; probe < 200; probe += 1) {
      const near = blocks[random(blocks.length)]?.address ?? 0
      const address = (near ^ (random(2) << random(31))) >>> 0
      const expected = blocks.some((block) => (address ^ block.address) >>> (32 - block.length) === 0)
      assert.equal(set.has(dotted(address)), expected, dotted(address))
    }
  }
})
