import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type RunningAdmin, startAdmin, startAdminFor } from '../support/admin-server.ts'

let admin: RunningAdmin
before(async () => {
  admin = await startAdmin()
  for (let index = 1; index <= 25; index++) {
    const name = `route-${index}`
    const labels = index % 2 === 0 ? { even: 'yes' } : { odd: 'yes' }
    const uri = index % 5 === 0 ? { uris: ['/five', `/${index}`] } : { uri: `/one/${index}` }
    admin.source.putNow('routes', String(index), { id: String(index), name, labels, ...uri, service_id: index % 3 })
  }
  admin.source.putNow('routes', 'nameless', { id: 'nameless', uri: '/nameless' })
})
after(() => admin.close())

interface List {
  readonly list: { key: string; value: { id: string } }[]
  readonly total: number
}
async function list(query: string): Promise<List> {
  const answer = await admin.call('GET', `/routes${query}`)
  assert.equal(answer.status, 200, answer.text)
  return answer.json()
}
const ids = ({ list: items }: List) => items.map(({ value }) => value.id)

test('pages have the asked size, and the total counts everything', async () => {
  const second = await list('?page=2&page_size=10')
  assert.deepEqual([second.list.length, second.total], [10, 26])
  assert.deepEqual(ids(second).slice(0, 2), ['11', '12'])
  assert.deepEqual((await list('?page=3&page_size=10')).list.length, 6)
})

test('a page before the first is the first, and one past the end is empty', async () => {
  for (const page of ['0', '-1', '1']) assert.equal(ids(await list(`?page=${page}&page_size=10`))[0], '1')
  const { text } = await admin.call('GET', '/routes?page=9&page_size=10')
  assert.equal(text, '{"list":[],"total":26}\n')
})

test('a page size outside of its range is refused in plain text', async () => {
  for (const size of ['9', '501', '0', '-10']) {
    const answer = await admin.call('GET', `/routes?page=1&page_size=${size}`)
    assert.deepEqual([answer.status, answer.text], [400, 'page_size must be between 10 and 500'])
  }
})

test('without two numbers there are no pages', async () => {
  for (const query of ['?page=2', '?page_size=10', '?page_size=5', '?page=a&page_size=10', '?page=1&page_size=a']) {
    assert.equal((await list(query)).list.length, 26, query)
  }
})

const filters: [query: string, total: number][] = [
  ['?name=route-2', 7],
  ['?name=^route-2$', 1],
  ['?name=nothing', 0],
  ['?label=even', 12],
  ['?label=', 26],
  ['?label=yes', 0],
  ['?uri=/five', 5],
  ['?uri=^/one/1', 9],
  ['?filter=service_id%3D1', 9],
  ['?filter=service_id%3D1%26upstream_id%3D1', 0],
  ['?filter=colour%3Dred', 26],
  ['?name=route&label=odd&uri=/one', 10],
]
for (const [query, total] of filters) {
  test(`the query ${query} finds ${total}`, async () => assert.equal((await list(query)).total, total))
}

test('the total of a page counts what passed the filters', async () => {
  const page = await list('?label=even&page=2&page_size=10')
  assert.deepEqual([page.list.length, page.total], [2, 12])
})

test('a pattern that is none is refused', async () => {
  const answer = await admin.call('GET', '/routes?name=%28')
  assert.equal(answer.status, 400)
  assert.match(answer.text, /^{"error_msg":"invalid argument name: /)
})

test('a pattern that would take for ever elsewhere is answered at once', async () => {
  admin.source.putNow('routes', 'long', { id: 'long', name: `${'a'.repeat(200)}!`, uri: '/long' })
  const started = performance.now()
  await list('?name=(a%2B)%2B%24')
  assert.ok(performance.now() - started < 1000)
  await admin.call('DELETE', '/routes/long')
})

test('filters do not apply to a single resource', async () => {
  assert.equal((await admin.call('GET', '/routes/1?name=nothing&page=1&page_size=1')).status, 200)
})

test('ten thousand routes are listed well within a second, and the server answers others meanwhile', async (t) => {
  const big = await startAdminFor(t)
  for (let index = 0; index < 10_000; index++) {
    const nodes = { '127.0.0.1:1980': 1, '127.0.0.1:1981': 1 }
    big.source.putNow('routes', String(index), { id: String(index), uri: `/${index}`, upstream: { nodes } })
  }
  await big.call('GET', '/routes')
  const started = performance.now()
  const [all, one] = await Promise.all([big.call('GET', '/routes'), big.call('GET', '/routes/1')])
  const tookMs = performance.now() - started
  assert.equal((all.json() as List).list.length, 10_000)
  assert.equal((all.json() as List).total, 10_000)
  assert.equal(one.status, 200)
  assert.ok(tookMs < 2000, `took ${tookMs} ms`)
  t.diagnostic(`10,000 routes in ${tookMs.toFixed(0)} ms`)
})
