import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { filterList, listReply, pageOf } from '../../../../src/admin/list.ts'
import { Refusal } from '../../../../src/admin/reply.ts'
import type { JsonObject } from '../../../../src/base/json.ts'
import type { Resource } from '../../../../src/config/store.ts'
import { type Log, silentLog } from '../../../../src/observability/log.ts'
import { defineKind } from '../../../../src/resources/define-kind.ts'

const kind = defineKind({ name: 'things', noun: 'thing', schemaName: 'thing', schema: {}, filters: ['service_id'] })
const resource = (id: string, value: JsonObject, createdIndex = 1): Resource => ({
  kind: 'things',
  id,
  value,
  createdIndex,
  modifiedIndex: createdIndex,
})
const items = [
  resource('1', { name: 'foo-bar', labels: { env: 'a' }, uri: '/a', service_id: '1' }),
  resource('2', { labels: { team: 'b' }, uris: ['/b', '/c'], service_id: 2 }),
  resource('3', { name: 'baz', uri: '/c' }),
]
const found = (query: string, log: Log = silentLog) =>
  filterList(kind, items, new URLSearchParams(query), log).map(({ id }) => id)

const cases: [query: string, expected: string[]][] = [
  ['', ['1', '2', '3']],
  ['name=foo', ['1']],
  ['name=%5Eba', ['3']],
  ['name=', ['1', '3']],
  ['label=team', ['2']],
  ['label=nobody', []],
  ['label=', ['1', '2', '3']],
  ['uri=/c', ['2', '3']],
  ['filter=service_id%3D1', ['1']],
  ['filter=service_id%3D2', ['2']],
  ['filter=service_id%3D2%26colour%3Dred', ['2']],
  ['name=baz&uri=/a', []],
]
for (const [query, expected] of cases) {
  test(`the filter "${query}" leaves ${expected.join(', ') || 'nothing'}`, () =>
    assert.deepEqual(found(query), expected))
}

test('a filter key that the kind does not know is ignored with a line in the log', () => {
  const lines: unknown[] = []
  found('filter=colour%3Dred', { ...silentLog, warn: (fields) => lines.push(fields) })
  assert.deepEqual(lines, [{ kind: 'things', key: 'colour' }])
})

test('a pattern that cannot be compiled, or is endless, is refused', () => {
  assert.throws(() => found('name=%28'), Refusal)
  assert.throws(() => found(`uri=${'a'.repeat(2000)}`), Refusal)
})

const many = Array.from({ length: 25 }, (_, index) => resource(String(index), {}, 100 - index))
const page = (query: string) => pageOf(many, new URLSearchParams(query)).map(({ id }) => id)

test('pages are cut by age; without two numbers there are none', () => {
  const oldest = Array.from({ length: 10 }, (_, index) => String(24 - index))
  assert.deepEqual(page('page=1&page_size=10'), oldest)
  assert.deepEqual(page('page=0&page_size=10'), oldest)
  assert.deepEqual(page('page=3&page_size=10'), ['4', '3', '2', '1', '0'])
  assert.deepEqual(page('page=4&page_size=10'), [])
  for (const query of [
    '',
    'page=1',
    'page_size=10',
    'page=x&page_size=10',
    'page=1&page_size=x',
    'page=1&page_size=',
  ]) {
    assert.deepEqual(page(query)[0], '0', query)
    assert.equal(page(query).length, 25, query)
  }
})

test('a page size outside of 10 to 500 is refused in plain text', () => {
  for (const size of ['9', '501', '-1', '0']) {
    try {
      page(`page=1&page_size=${size}`)
      assert.fail('not refused')
    } catch (error) {
      assert.ok(error instanceof Refusal)
      assert.deepEqual(error.reply, { status: 400, body: 'page_size must be between 10 and 500' })
    }
  }
})

test('a long list is streamed and is the same JSON as a short one would be', async () => {
  const long = Array.from({ length: 1234 }, (_, index) => resource(String(index), { index }))
  const { body } = listReply(long, 2000, ({ id, value }) => ({ id, value }))
  assert.ok(body instanceof Readable)
  const expected = { list: long.map(({ id, value }) => ({ id, value })), total: 2000 }
  assert.equal(await text(body), `${JSON.stringify(expected)}\n`)
})
