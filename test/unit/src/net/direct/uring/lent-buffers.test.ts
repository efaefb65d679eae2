/** Whose bytes these are: what is borrowed of a ring's buffers, for how long, and what checks find out. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BufferRing, poison } from '../../../../../../src/net/direct/uring/buffer-ring.ts'
import { LentBuffers } from '../../../../../../src/net/direct/uring/lent-buffers.ts'
import { Ring } from '../../../../../../src/net/direct/uring/ring.ts'
import { uringRefusal } from '../../../../../../src/net/direct/uring/ring-setup.ts'

const skip = uringRefusal() ?? false

interface Bench extends Disposable {
  readonly ring: Ring
  readonly lent: LentBuffers
}

function bench(checks: boolean): Bench {
  const ring = new Ring({ submissions: 8, completions: 16 })
  return { ring, lent: new LentBuffers(ring, checks), [Symbol.dispose]: () => ring.close() }
}

/** As if the kernel had filled a buffer. */
function fill({ ring }: Bench, pool: BufferRing, buffer: number, text: string): void {
  pool.taken(buffer)
  ring.arena.bytes.set(Buffer.from(text), pool.placeOf(buffer))
}

for (const checks of [false, true]) {
  describe(`lent buffers, ${checks ? 'with' : 'without'} checks`, { skip }, () => {
    test('a receiver sees what was filled in, and it is lent again when the receiver returns', () => {
      using one = bench(checks)
      const { small } = one.lent
      const before = small.lent
      fill(one, small, 3, 'hello')
      assert.equal(small.lent, before - 1)
      let seen = ''
      one.lent.show(small, 3, 5, { arrived: (bytes) => (seen = Buffer.from(bytes).toString()) })
      assert.equal(seen, 'hello')
      assert.equal(small.lent, before)
      assert.equal(small.used, 0)
    })

    test('what is forwarded is found where it lies, whole or in part, of small buffers and large', () => {
      using one = bench(checks)
      for (const pool of [one.lent.small, one.lent.large]) {
        fill(one, pool, 7, 'head and body')
        one.lent.show(pool, 7, 13, {
          arrived(bytes) {
            const whole = one.lent.placeOf(bytes)
            const part = one.lent.placeOf(bytes.subarray(9))
            assert.equal(whole, pool.placeOf(7))
            assert.equal(part, whole + 9)
            const holder = one.lent.holderOf(part)
            assert.equal(holder, one.lent.holderOf(whole))
            one.lent.retain(holder)
            assert.equal(pool.used, 1)
          },
        })
        assert.equal(pool.used, 1)
        assert.equal(
          Buffer.from(one.ring.arena.bytes.subarray(pool.placeOf(7), pool.placeOf(7) + 4)).toString(),
          'head',
        )
        one.lent.release(one.lent.holderOf(pool.placeOf(7)))
        assert.equal(pool.used, 0)
      }
    })

    test('bytes from elsewhere have no place', () => {
      using one = bench(checks)
      assert.equal(one.lent.placeOf(Buffer.from('mine')), -1)
      fill(one, one.lent.small, 0, 'x')
      one.lent.show(one.lent.small, 0, 1, {
        arrived: () => assert.equal(one.lent.placeOf(Buffer.from('mine')), -1),
      })
    })

    test('a buffer that is given back once too often is an error', () => {
      using one = bench(checks)
      fill(one, one.lent.small, 1, 'x')
      one.lent.show(one.lent.small, 1, 1, { arrived() {} })
      assert.throws(() => one.lent.release(1), /once too often/)
    })
  })
}

test('with checks, bytes that were kept are gone when the receiver returns, and to forward them is an error', {
  skip,
}, () => {
  using one = bench(true)
  fill(one, one.lent.small, 2, 'borrowed')
  let kept = new Uint8Array(0)
  one.lent.show(one.lent.small, 2, 8, {
    arrived(bytes) {
      kept = bytes as Uint8Array<ArrayBuffer>
    },
  })
  assert.equal(kept.length, 0)
  assert.throws(() => one.lent.placeOf(kept), /after their time/)
})

test('with checks, a buffer is overwritten when its last user is done with it', { skip }, () => {
  using one = bench(true)
  const { small } = one.lent
  fill(one, small, 2, 'secret')
  one.lent.show(small, 2, 6, { arrived: () => one.lent.retain(2) })
  const memory = one.ring.arena.bytes.subarray(small.placeOf(2), small.placeOf(2) + 6)
  assert.equal(Buffer.from(memory).toString(), 'secret')
  one.lent.release(2)
  assert.deepEqual([...memory], Array(6).fill(poison))
})

test('without checks, bytes that were kept have no place any more: they are copied, not sent from where others arrive', {
  skip,
}, () => {
  using one = bench(false)
  fill(one, one.lent.small, 2, 'borrowed')
  let kept = new Uint8Array(0)
  one.lent.show(one.lent.small, 2, 8, {
    arrived(bytes) {
      kept = bytes as Uint8Array<ArrayBuffer>
    },
  })
  assert.equal(one.lent.placeOf(kept), -1)
})
