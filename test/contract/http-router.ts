/**
 * What every router of HTTP promises in its mode: tables of rules and requests, and random tables, edited at random, against
 * an oracle that goes through all routes in the plainest way.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HttpExchange } from '../../src/exchange/http-exchange.ts'
import type { HttpMatch, HttpRoute, HttpRouter, HttpRule } from '../../src/route/http-route.ts'
import type { HttpRouterMode } from '../../src/route/http-router.ts'
import { httpExchange, type TestRequest } from '../support/http-exchange.ts'
import { httpRouteOf } from '../support/http-routes.ts'
import { hostCases } from './http-router-host-cases.ts'
import { oracle, randomHttpRoute, randomRequest } from './http-router-oracle.ts'
import { pathCases } from './http-router-path-cases.ts'

export interface EditableHttpRouter extends HttpRouter {
  with(change: { readonly add?: readonly HttpRoute[]; readonly remove?: readonly HttpRoute[] }): EditableHttpRouter
}

export type BuildHttpRouter = (
  routes: readonly HttpRoute[],
  options?: { readonly keepEncodedSlashes?: boolean },
) => EditableHttpRouter

/** `id`, or what of a match matters besides. */
export type Expected = string | undefined | { readonly id: string; readonly [part: string]: unknown }

const requestOf = (asked: string | TestRequest): HttpExchange =>
  httpExchange(typeof asked === 'string' ? { target: asked, host: 'any.test' } : { host: 'any.test', ...asked })

export function httpRouterContract(mode: HttpRouterMode, build: BuildHttpRouter): void {
  const route = (id: string, order: number, rule: Partial<HttpRule> = {}): HttpRoute => httpRouteOf(id, order, rule)
  const takes = (router: HttpRouter, asked: string | TestRequest): string | undefined =>
    router.match(requestOf(asked))?.route.id

  describe(`http router ${mode}`, () => {
    for (const { name, modes, options, rules, takes: expected } of [...pathCases, ...hostCases]) {
      if (modes !== undefined && !modes.includes(mode)) continue
      test(name, () => {
        const routes = Object.entries(rules).map(([id, rule], order) => route(id, order, rule))
        const whole = build(routes, options)
        const grown = routes.reduceRight((router, one) => router.with({ add: [one] }), build([], options))
        for (const [asked, result] of expected) {
          check(whole.match(requestOf(asked)), result, JSON.stringify(asked))
          check(grown.match(requestOf(asked)), result, `added one by one: ${JSON.stringify(asked)}`)
        }
      })
    }

    test('an edit leaves the router it was made from as it was', () => {
      const [a, b] = [route('a', 0, { uris: ['/x'] }), route('b', 1, { uris: ['/x', '/y*'] })]
      const before = build([a, b])
      const after = before.with({ remove: [a] })
      const back = after.with({ add: [a] })
      assert.equal(takes(before, '/x'), 'a')
      assert.equal(takes(after, '/x'), 'b')
      assert.equal(takes(back, '/x'), 'a')
      assert.equal(takes(after.with({ remove: [b] }), '/x'), undefined)
      assert.equal(takes(after, '/yes'), 'b')
    })

    test('an edited route keeps its place and loses its old rule', () => {
      const old = route('a', 0, { uris: ['/x', '/p*'], hosts: ['a.test', '*.b.test'] })
      const router = build([old, route('all', 1)])
      for (const edited of [
        { add: [route('a', 0, { uris: ['/*'] })] },
        { add: [route('a', 0, { uris: ['/*'] })], remove: [old] },
      ]) {
        const after = router.with(edited)
        for (const target of ['/x', '/pp', '/z']) {
          assert.equal(takes(after, { target, host: 'x.b.test' }), 'a')
          assert.equal(takes(after, { target, host: 'else.test' }), 'a')
        }
      }
      assert.equal(takes(router, { target: '/x', host: 'else.test' }), 'all')
    })

    test('removing what is not there changes nothing', () => {
      const router = build([route('a', 0, { uris: ['/a'] })])
      const gone = [route('a', 0, { uris: ['/a'] }), route('b', 1, { uris: ['/a/b', '/ab*'] })]
      assert.equal(takes(router.with({ remove: gone }), '/a'), 'a')
    })

    test('a thousand paths are found, and none is left when they are removed', () => {
      const rule = (n: number): Partial<HttpRule> => ({ uris: [`/s${n % 37}/r${n}`, `/s${n % 37}/p${n}/*`] })
      const routes = Array.from({ length: 1000 }, (_, n) => route(`${n}`, n, rule(n)))
      const router = build(routes)
      for (let n = 0; n < 1000; n += 1) {
        assert.equal(takes(router, `/s${n % 37}/r${n}`), `${n}`)
        assert.equal(takes(router, `/s${n % 37}/p${n}/x/y`), `${n}`)
      }
      const half = router.with({ remove: routes.filter((_, n) => n % 2 === 0) })
      for (let n = 0; n < 1000; n += 1) assert.equal(takes(half, `/s${n % 37}/r${n}`), n % 2 === 0 ? undefined : `${n}`)
      const none = routes.reduce((left, one) => left.with({ remove: [one] }), half)
      for (let n = 0; n < 1000; n += 1) assert.equal(takes(none, `/s${n % 37}/p${n}/x`), undefined)
    })

    test('random tables, edited at random, match as the plain oracle does', () => {
      for (let seed = 1; seed <= 30; seed += 1) {
        const random = generator(seed)
        const crowded = seed % 3 === 0
        let routes = Array.from({ length: 1 + random(80) }, (_, order) => randomHttpRoute(random, order, crowded))
        let router = build(routes)
        for (let edit = 0; edit < 6; edit += 1) {
          for (let round = 0; round < 60; round += 1) {
            const asked = randomRequest(random)
            const exchange = requestOf(asked)
            const found = router.match(exchange)
            const expected = oracle(mode, routes, exchange)
            assert.deepEqual(told(found), expected, `seed ${seed}, edit ${edit}: ${JSON.stringify(asked)}`)
          }
          const remove = routes.filter(() => random(8) === 0)
          const kept = routes.filter((one) => !remove.includes(one))
          const again = remove.filter(() => random(2) === 0)
          const edited = again.map((one) => randomHttpRoute(random, one.rule.order, crowded))
          const fresh = Array.from({ length: random(4) }, (_, index) => {
            return randomHttpRoute(random, 1000 * (edit + 1) + index, crowded)
          })
          router = router.with({ remove, add: [...edited, ...fresh] })
          routes = [...kept, ...edited, ...fresh]
        }
      }
    })
  })
}

/** A match as plain data. */
function told(match: HttpMatch | undefined): unknown {
  if (match === undefined) return undefined
  const { route, params, uri, host } = match
  return { id: route.id, uri, host, params: params === undefined ? undefined : { ...params } }
}

function check(match: HttpMatch | undefined, expected: Expected, what: string): void {
  if (typeof expected !== 'object') return assert.equal(match?.route.id, expected, what)
  const whole = told(match) as Record<string, unknown> | undefined
  const parts = Object.fromEntries(Object.keys(expected).map((part) => [part, whole?.[part]]))
  assert.deepEqual(parts, expected, what)
}

export type Random = (below: number) => number

/** Numbers that are the same on every run (a linear congruential generator; its high bits). */
function generator(seed: number): Random {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
