/** The wire suites over the list of wires, and over the portable wire without Node's own handles. */

import assert from 'node:assert/strict'
import test from 'node:test'
import { findHandles } from '../../src/net/portable/handles.ts'
import { createPortableWire } from '../../src/net/portable/wire.ts'
import type { Wire } from '../../src/net/wire.ts'
import { wires } from '../../src/net/wires.ts'
import { wireContract } from './wire.ts'
import { crowdContract } from './wire-crowds.ts'
import { datagramContract } from './wire-datagrams.ts'
import { livesContract } from './wire-lives.ts'
import { unixContract } from './wire-unix.ts'

const usable = wires.filter((wire) => wire.refusal() === undefined)
const contenders: [name: string, create: () => Wire][] = [
  ...usable.map((wire): [string, () => Wire] => [wire.name, () => wire.create()]),
  ['portable on public modules', () => createPortableWire({ handles: false })],
]
for (const { name } of usable.filter(({ name }) => name === 'epoll')) {
  const { createEpollWire } = await import('../../src/net/direct/epoll/wire.ts')
  contenders.push([`${name} with checks`, () => createEpollWire({ checks: true })])
  contenders.push([`${name}, one call for each socket`, () => createEpollWire({ joint: false })])
}
for (const { name } of usable.filter(({ name }) => name === 'uring')) {
  const { createUringWire } = await import('../../src/net/direct/uring/wire.ts')
  contenders.push([`${name} with checks`, () => createUringWire({ checks: true })])
  contenders.push([`${name} on short queues`, () => createUringWire({ shortQueues: true })])
}
for (const { name, refusal } of wires) {
  if (refusal() !== undefined) test(`the contract of a wire, on ${name}`, { skip: refusal() })
}
for (const [name, create] of contenders) {
  wireContract(name, create)
  livesContract(name, create)
  crowdContract(name, create)
  datagramContract(name, create)
  unixContract(name, create)
}

// Older ones keep them in another shape; the portable wire runs on the public modules there.
const isOld = Number.parseInt(process.versions.node, 10) < 26

test('this Node keeps its handles where the fast way needs them', {
  skip: isOld && `Node ${process.version} is older than the one of the package`,
}, () => {
  assert.notEqual(findHandles(), undefined)
})
