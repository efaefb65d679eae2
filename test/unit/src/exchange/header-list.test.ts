import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderList } from '../../../../src/exchange/header-list.ts'

const fieldsOf = (list: HeaderList): string[] =>
  Array.from(
    { length: list.size },
    (_, at) => `${list.lowerAt(at)}|${list.nameAt(at)}|${list.valueAt(at)}|${list.lineAt(at)}`,
  )

test('a list is sound until something was set or appended that nobody vouched for', () => {
  const list = new HeaderList()
  list.push('a', 'A', '1', 'A: 1\r\n')
  list.replace('a', 'A', '2')
  list.delete('a')
  assert.equal(list.isSound, true)
  list.append('B', 'x')
  assert.equal(list.isSound, false)
  const other = new HeaderList()
  other.set('C', 'x')
  assert.equal(other.isSound, false)
})

test('copies, bare lists and lists that took over fields are as sound as where those came from', () => {
  const doubtful = HeaderList.of({ A: 'x' })
  assert.equal(doubtful.copy().isSound, false)
  assert.equal(doubtful.bare().isSound, false)
  const list = new HeaderList()
  list.assign(doubtful)
  assert.equal(list.isSound, false)
  assert.equal(new HeaderList().copy().isSound, true)
})

test('the line of a field goes when its value is set, and stays beside it when others go', () => {
  const list = new HeaderList()
  list.push('a', 'A', '1', 'A: 1\r\n')
  list.push('b', 'b', '2', 'b: 2\r\n')
  list.push('a', 'a', '3', 'a: 3\r\n')
  list.push('c', 'C', '4', 'C: 4\r\n')
  list.set('A', '5')
  assert.deepEqual(fieldsOf(list), ['a|A|5|', 'b|b|2|b: 2\r\n', 'c|C|4|C: 4\r\n'])
})

test('a field is replaced in the place of the first one of its name, or stands at the end', () => {
  const list = new HeaderList()
  list.push('a', 'A', '1')
  list.push('b', 'B', '2')
  list.push('a', 'A', '3')
  list.replace('a', 'a', '4', 'a: 4\r\n')
  list.replace('d', 'D', '5')
  assert.deepEqual(fieldsOf(list), ['a|a|4|a: 4\r\n', 'b|B|2|', 'd|D|5|'])
})
