/** What the router of HTTP promises besides its contract: rules that are refused, its size, and how little an edit touches. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpRule } from '../../../../src/route/http-route.ts'
import { checkHttpRule, httpRouter, httpRouterModes } from '../../../../src/route/http-router.ts'
import { httpExchange } from '../../../support/http-exchange.ts'
import { httpRouteOf } from '../../../support/http-routes.ts'

const options = { keepEncodedSlashes: false }

const refused: readonly (readonly [rule: Partial<HttpRule>, reason: RegExp])[] = [
  [{ uris: [] }, /^a route without a path$/],
  [{ methods: ['GET', 'BREW'] }, /^no such method: BREW$/],
  [{ remoteAddrs: ['10.0.0.0/33'] }, /^invalid ip address: 10\.0\.0\.0\/33$/],
  [{ vars: [['uri', '=', '/']] }, /^invalid operator '='$/],
  [{ vars: [['uri', '~~', '(?=a)']] }, /look-around is not supported/],
  [{ vars: 'uri' }, /^rule should be a table$/],
]
for (const [rule, reason] of refused) {
  test(`the rule ${JSON.stringify(rule)} is refused, and a router stays as it was`, () => {
    const bad = httpRouteOf('bad', 1, rule)
    assert.throws(() => checkHttpRule(bad.rule), { message: reason })
    if (rule.uris !== undefined) return
    const router = httpRouter('radixtree_uri', [httpRouteOf('good', 0)], options)
    assert.throws(() => router.with({ add: [bad], remove: [] }), { message: reason })
    assert.equal(router.match(httpExchange())?.route.id, 'good')
    assert.equal(router.size, 1)
  })
}

test('a rule that can be compiled is not refused', () => {
  const rule = {
    hosts: ['*'],
    methods: ['PURGE'],
    remoteAddrs: ['::1', '10.0.0.0/8'],
    vars: [['post_arg.a', 'has', 1]],
  }
  checkHttpRule(httpRouteOf('a', 0, rule).rule)
  checkHttpRule(httpRouteOf('a', 0, { vars: null }).rule)
})

test('a router tells how many routes it has', () => {
  const routes = Array.from({ length: 20 }, (_, n) =>
    httpRouteOf(`${n}`, n, { uris: ['/a', '/b'], hosts: ['x', '*.y'] }),
  )
  for (const mode of httpRouterModes) {
    const router = httpRouter(mode, routes, options)
    assert.equal(router.size, 20)
    assert.equal(router.with({ add: [httpRouteOf('3', 3)], remove: routes.slice(0, 2) }).size, 18)
    assert.equal(router.with({ add: [], remove: routes }).size, 0)
    assert.equal(router.with({ add: [], remove: [] }), router)
  }
})

test('a match is not disturbed by what becomes of its route', () => {
  const router = httpRouter('radixtree_uri_with_parameter', [httpRouteOf('a', 0, { uris: ['/:x/*'] })], options)
  const match = router.match(httpExchange({ target: '/1/2/3' }))
  router.with({ add: [httpRouteOf('a', 0, { uris: ['/z'] })], remove: [] })
  assert.equal(match?.uri, '/:x/*')
  assert.deepEqual({ ...match?.params }, { x: '1', ':ext': '2/3' })
})

test('a path of nothing but slashes and a host of nothing but dots cost little', () => {
  const rules: Partial<HttpRule>[] = Array.from({ length: 200 }, (_, n) => ({
    uris: [`/${'a/'.repeat(n % 50)}*`, `/b${'c'.repeat(n % 60)}*`],
    hosts: n % 2 === 0 ? [] : [`*.${'d.'.repeat(n % 40)}test`, `*${'e'.repeat(n % 40)}`],
  }))
  const routes = rules.map((rule, n) => httpRouteOf(`${n}`, n, { ...rule, methods: ['PURGE'] }))
  const exchange = httpExchange({ host: `${'.'.repeat(8000)}x` })
  exchange.request.path = '/'.repeat(8000)
  const before = process.cpuUsage()
  for (const mode of httpRouterModes) {
    const router = httpRouter(mode, routes, options)
    for (let round = 0; round < 200; round += 1) assert.equal(router.match(exchange), undefined)
  }
  assert.ok(process.cpuUsage(before).user < 5e6)
})
