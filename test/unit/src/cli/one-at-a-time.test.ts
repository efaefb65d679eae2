import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oneAtATime } from '../../../../src/cli/one-at-a-time.ts'

/** Work that ends when told to, and counts how often it was begun. */
function steps(): { work: () => Promise<number>; finish: (index: number, error?: Error) => void; begun: () => number } {
  const ends: PromiseWithResolvers<number>[] = []
  return {
    begun: () => ends.length,
    finish: (index, error) => (error === undefined ? ends[index]?.resolve(index) : ends[index]?.reject(error)),
    work: () => {
      const end = Promise.withResolvers<number>()
      ends.push(end)
      return end.promise
    },
  }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('calls made while the work runs share one more run that begins after it', async () => {
  const { work, finish, begun } = steps()
  const call = oneAtATime(work)
  const first = call()
  await turn()
  const later = [call(), call(), call()]
  await turn()
  assert.equal(begun(), 1)
  finish(0)
  assert.equal(await first, 0)
  await turn()
  assert.equal(begun(), 2)
  finish(1)
  assert.deepEqual(await Promise.all(later), [1, 1, 1])
})

test('a run that fails is reported to its callers and does not stop the next', async () => {
  const { work, finish } = steps()
  const call = oneAtATime(work)
  const first = call()
  await turn()
  const second = call()
  finish(0, new Error('no'))
  await assert.rejects(first, /no/)
  await turn()
  finish(1)
  assert.equal(await second, 1)
})
