/** Which test files run once on each wire, and what becomes of a wire that cannot be had. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type WireKind, wires } from '../../../../src/net/wires.ts'
import { root } from '../../../support/source-tree.ts'
import { onEachWire, runsOnWires, wiresNamed } from '../../../support/wire-runs.ts'

const fileOf = (name: string): string => path.join(root, 'test/integration', `${name}.test.ts`)
const allowed = (refused?: WireKind['name']): readonly WireKind[] =>
  wires.map((kind) => ({ ...kind, refusal: () => (kind.name === refused ? 'it is forbidden' : undefined) }))

test('a file of the list runs on each wire, all others once and before', () => {
  const files = [fileOf('streams'), fileOf('cli')]
  const { runs, skipped } = runsOnWires(files, allowed())
  assert.deepEqual(runs, [
    { file: fileOf('cli') },
    ...['uring', 'epoll', 'portable'].map((name) => ({
      file: fileOf('streams'),
      label: name,
      env: { SLUICE_TEST_WIRE: name },
    })),
  ])
  assert.deepEqual(skipped, [])
})

test('a wire that cannot be had is skipped by name, with its reason', () => {
  const { runs, skipped } = runsOnWires([fileOf('streams'), fileOf('drain')], allowed('uring'))
  assert.deepEqual(
    runs.map(({ label }) => label),
    ['epoll', 'epoll', 'portable', 'portable'],
  )
  assert.deepEqual(skipped, [{ file: 'test/integration', name: '2 files on uring', reason: 'it is forbidden' }])
})

test('nothing is skipped where no file depends on the wire', () => {
  assert.deepEqual(runsOnWires([fileOf('cli')], allowed('uring')).skipped, [])
})

test('wires are taken by name, all without one, and another name is refused', () => {
  assert.deepEqual(wiresNamed([]), wires)
  assert.deepEqual(
    wiresNamed(['portable', 'uring']).map(({ name }) => name),
    ['portable', 'uring'],
  )
  assert.throws(() => wiresNamed(['kqueue']), /--wire kqueue: expected uring, epoll, portable/)
})

test('every file of the list exists and takes its wire from who runs it', () => {
  for (const name of onEachWire) {
    const takes = /^import .* from '\.\.\/support\/(gateway|test-wire|tls-listener)\.ts'$/m
    assert.match(readFileSync(fileOf(name), 'utf8'), takes, name)
  }
})
