import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DenseMember, DenseSet } from '../../../../src/base/dense-set.ts'

class Member implements DenseMember {
  place = -1
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

const namesOf = (set: DenseSet<Member>): string =>
  set
    .list()
    .map(({ name }) => name)
    .sort()
    .join('')

test('members come and go in any order', () => {
  const set = new DenseSet<Member>()
  const [a, b, c] = [new Member('a'), new Member('b'), new Member('c')]
  for (const member of [a, b, c]) set.add(member)
  set.delete(a)
  assert.equal(namesOf(set), 'bc')
  set.delete(c)
  set.add(a)
  assert.equal(namesOf(set), 'ab')
  set.delete(b)
  set.delete(a)
  assert.equal(set.size, 0)
})

test('a member is in it once, and deleted once', () => {
  const set = new DenseSet<Member>()
  const [a, b] = [new Member('a'), new Member('b')]
  set.add(a)
  set.add(a)
  set.add(b)
  assert.equal(set.size, 2)
  set.delete(a)
  set.delete(a)
  assert.equal(namesOf(set), 'b')
})

test('a list of members stays as it was while the set changes', () => {
  const set = new DenseSet<Member>()
  const members = ['a', 'b', 'c', 'd'].map((name) => new Member(name))
  for (const member of members) set.add(member)
  const seen: string[] = []
  for (const member of set.list()) {
    seen.push(member.name)
    set.delete(member)
  }
  assert.deepEqual(seen, ['a', 'b', 'c', 'd'])
  assert.equal(set.size, 0)
})
