import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WeightedTurns } from '../../../../../src/plugins/traffic-split/weighted-turns.ts'

const taken = (turns: WeightedTurns<string>, count: number): string =>
  Array.from({ length: count }, () => turns.next()).join('')
const counted = (text: string, item: string): number => text.split(item).length - 1

test('in each round an item has as many turns as its weight says, by the common divisor', () => {
  const turns = new WeightedTurns(['a', 'b', 'c'], [50, 30, 20])
  // Wherever it starts, rounds are whole after the first.
  taken(turns, 20)
  for (let round = 0; round < 10; round++) {
    const order = taken(turns, 10)
    assert.deepEqual([counted(order, 'a'), counted(order, 'b'), counted(order, 'c')], [5, 3, 2], order)
  }
})

test('turns are interleaved as those of nodes', () => {
  const turns = new WeightedTurns(['a', 'b'], [3, 2])
  const order = taken(turns, 20)
  assert.ok('aababaababaababaababaabab'.includes(order), order)
})

test('weight 0 has no turn, unless no item has a weight', () => {
  const some = taken(new WeightedTurns(['a', 'b', 'c'], [1, 0, 1]), 20)
  assert.deepEqual([counted(some, 'a'), counted(some, 'b'), counted(some, 'c')], [10, 0, 10])
  const none = taken(new WeightedTurns(['a', 'b'], [0, 0]), 20)
  assert.deepEqual([counted(none, 'a'), counted(none, 'b')], [10, 10])
})

test('very unlike weights cost no more', () => {
  const turns = new WeightedTurns(['a', 'b'], [1_000_000_007, 1])
  assert.ok(counted(taken(turns, 10_000), 'a') >= 9_999)
})
