/**
 * What every router of streams promises: one table of rules and connections, and random tables against an oracle that
 * goes through all routes in the plainest way.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { IpSet } from '../../src/base/ip-set.ts'
import type { StreamExchange } from '../../src/exchange/exchange.ts'
import { compileExpression } from '../../src/route/expression.ts'
import type { Route, Router, StreamRule } from '../../src/route/router.ts'
import { type ConnectionShape, connectionOf, routeOf } from '../support/connections.ts'

export interface EditableRouter extends Router<StreamExchange> {
  with(change: { readonly add?: readonly Route[]; readonly remove?: readonly Route[] }): EditableRouter
}

interface Case {
  readonly name: string
  readonly rules: Readonly<Record<string, Partial<StreamRule>>>
  /** Connection → id of the route that it takes. */
  readonly takes: readonly (readonly [ConnectionShape, string | undefined])[]
}

const table: readonly Case[] = [
  {
    name: 'without routes nothing matches',
    rules: {},
    takes: [
      [{}, undefined],
      [{ serverName: 'a.test' }, undefined],
    ],
  },
  {
    name: 'an empty rule matches every connection',
    rules: { all: {} },
    takes: [
      [{}, 'all'],
      [{ serverName: 'a.test' }, 'all'],
      [{ remote: '2001:db8::1' }, 'all'],
    ],
  },
  {
    name: 'ports, several on one route',
    rules: { a: { serverPorts: [9100, 9101] }, b: { serverPorts: [9102] } },
    takes: [
      [{ port: 9100 }, 'a'],
      [{ port: 9101 }, 'a'],
      [{ port: 9102 }, 'b'],
      [{ port: 9103 }, undefined],
    ],
  },
  {
    name: 'a route for one port does not beat one for any port that was loaded before it',
    rules: { any: {}, port: { serverPorts: [9100] } },
    takes: [[{ port: 9100 }, 'any']],
  },
  {
    name: 'load order decides, not how specific a rule is',
    rules: { net: { remoteAddrs: ['10.0.0.0/8'] }, one: { remoteAddrs: ['10.0.0.1'] }, all: {} },
    takes: [
      [{ remote: '10.0.0.1' }, 'net'],
      [{ remote: '11.0.0.1' }, 'all'],
    ],
  },
  {
    name: 'an exact address found by index still comes after what was loaded before it',
    rules: { one: { remoteAddrs: ['10.0.0.1', '10.0.0.2'] }, net: { remoteAddrs: ['10.0.0.0/8'] } },
    takes: [
      [{ remote: '10.0.0.1' }, 'one'],
      [{ remote: '10.0.0.2' }, 'one'],
      [{ remote: '10.0.0.3' }, 'net'],
      [{ remote: '192.0.2.1' }, undefined],
    ],
  },
  {
    name: 'the greater priority is first, whatever the load order',
    rules: { low: { priority: -1 }, usual: {}, high: { priority: 5, remoteAddrs: ['10.0.0.1'] } },
    takes: [
      [{ remote: '10.0.0.1' }, 'high'],
      [{ remote: '10.0.0.2' }, 'usual'],
    ],
  },
  {
    name: 'the local address counts',
    rules: { a: { serverAddrs: ['127.0.0.2'] }, b: { serverAddrs: ['127.0.0.0/8', '::1'] } },
    takes: [
      [{ local: '127.0.0.2' }, 'a'],
      [{ local: '127.0.0.3' }, 'b'],
      [{ local: '::1' }, 'b'],
      [{ local: '10.0.0.1' }, undefined],
    ],
  },
  {
    name: 'an exact name beats a suffix, the longer suffix the shorter, any name no name',
    rules: {
      none: { priority: 100 },
      all: { snis: ['*'], priority: 50 },
      test: { snis: ['*.test'], priority: 20 },
      b: { snis: ['*.b.test'], priority: 10 },
      exact: { snis: ['a.b.test'] },
    },
    takes: [
      [{ serverName: 'a.b.test' }, 'exact'],
      [{ serverName: 'c.b.test' }, 'b'],
      [{ serverName: 'd.c.b.test' }, 'b'],
      [{ serverName: 'b.test' }, 'test'],
      [{ serverName: 'test' }, 'all'],
      [{ serverName: 'example' }, 'all'],
      [{}, 'none'],
    ],
  },
  {
    name: 'an asterisk without a dot is a plain suffix',
    rules: { foo: { snis: ['*foo.test'] } },
    takes: [
      [{ serverName: 'barfoo.test' }, 'foo'],
      [{ serverName: 'x.foo.test' }, 'foo'],
      [{ serverName: 'bar.test' }, undefined],
    ],
  },
  {
    name: 'where the exact name does not fit otherwise, the suffix is asked, then the nameless',
    rules: {
      exact: { snis: ['a.b.test'], remoteAddrs: ['10.0.0.1'] },
      suffix: { snis: ['*.b.test'], remoteAddrs: ['10.0.0.2'] },
      none: {},
    },
    takes: [
      [{ serverName: 'a.b.test', remote: '10.0.0.1' }, 'exact'],
      [{ serverName: 'a.b.test', remote: '10.0.0.2' }, 'suffix'],
      [{ serverName: 'a.b.test', remote: '10.0.0.3' }, 'none'],
    ],
  },
  {
    name: 'names are compared in lower case and without the last dot, read from a ClientHello too',
    rules: { a: { snis: ['a.test', 'b.test'] } },
    takes: [
      [{ serverName: 'A.Test.' }, 'a'],
      [{ preread: 'b.TEST' }, 'a'],
      [{ preread: 'c.test' }, undefined],
      [{}, undefined],
    ],
  },
  {
    name: 'a route with names is never taken by a connection without',
    rules: { named: { snis: ['*'] } },
    takes: [
      [{}, undefined],
      [{ preread: '' }, undefined],
      [{ preread: 'x' }, 'named'],
    ],
  },
  {
    name: 'the name is looked for on the port and among routes for any port',
    rules: { port: { serverPorts: [9100], snis: ['*.test'] }, any: { snis: ['*.a.test'] } },
    takes: [
      [{ serverName: 'x.a.test' }, 'any'],
      [{ serverName: 'x.b.test' }, 'port'],
      [{ serverName: 'x.b.test', port: 9101 }, undefined],
    ],
  },
  {
    name: 'vars must hold',
    rules: {
      a: {
        vars: [
          ['server_port', '==', 9100],
          ['remote_addr', 'ipmatch', ['10.0.0.0/8']],
        ],
      },
      b: { vars: [['OR', ['sni', '~~', '^b'], ['remote_addr', '==', '192.0.2.9']]] },
      c: { vars: [] },
    },
    takes: [
      [{ remote: '10.1.1.1' }, 'a'],
      [{ remote: '10.1.1.1', port: 1 }, 'c'],
      [{ serverName: 'b.test' }, 'b'],
      [{ remote: '192.0.2.9' }, 'b'],
    ],
  },
  {
    name: 'IPv6 clients, and IPv4 ones written as IPv6',
    rules: { six: { remoteAddrs: ['2001:DB8:0:0::1'] }, four: { remoteAddrs: ['::ffff:10.0.0.1'] } },
    takes: [
      [{ remote: '2001:db8::1' }, 'six'],
      [{ remote: '10.0.0.1' }, 'four'],
      [{ remote: '2001:db8::2' }, undefined],
    ],
  },
]

export function routerContract(name: string, build: (routes: readonly Route[]) => EditableRouter): void {
  const takes = (router: EditableRouter, shape: ConnectionShape): string | undefined =>
    router.match(connectionOf(shape))?.id

  describe(`router ${name}`, () => {
    for (const { name, rules, takes: expected } of table) {
      test(name, () => {
        const routes = Object.entries(rules).map(([id, rule], order) => routeOf(id, order, rule))
        const whole = build(routes)
        const grown = routes.reduceRight((router, route) => router.with({ add: [route] }), build([]))
        for (const [shape, id] of expected) {
          assert.equal(takes(whole, shape), id, JSON.stringify(shape))
          assert.equal(takes(grown, shape), id, `added one by one: ${JSON.stringify(shape)}`)
        }
      })
    }

    test('an edit leaves the router it was made from as it was', () => {
      const [a, b] = [routeOf('a', 0, { serverPorts: [1] }), routeOf('b', 1, { serverPorts: [1] })]
      const before = build([a, b])
      const after = before.with({ remove: [a] })
      const back = after.with({ add: [a] })
      assert.equal(takes(before, { port: 1 }), 'a')
      assert.equal(takes(after, { port: 1 }), 'b')
      assert.equal(takes(back, { port: 1 }), 'a')
      assert.equal(takes(after.with({ remove: [b] }), { port: 1 }), undefined)
    })

    test('an edited route keeps its place and loses its old rule', () => {
      const old = routeOf('a', 0, { snis: ['a.test', '*.b.test'], serverPorts: [1, 2] })
      const router = build([old, routeOf('all', 1)])
      for (const edited of [
        { add: [routeOf('a', 0, { serverPorts: [2] })] },
        { add: [routeOf('a', 0, { serverPorts: [2] })], remove: [old] },
      ]) {
        const after = router.with(edited)
        assert.equal(takes(after, { port: 1, serverName: 'a.test' }), 'all')
        assert.equal(takes(after, { port: 1, serverName: 'x.b.test' }), 'all')
        assert.equal(takes(after, { port: 2 }), 'a')
      }
    })

    test('removing what is not there changes nothing', () => {
      const router = build([routeOf('a', 0)])
      assert.equal(takes(router.with({ remove: [routeOf('a', 0), routeOf('b', 1)] }), {}), 'a')
    })

    test('random tables, edited at random, match as the plain oracle does', () => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const random = generator(seed)
        let routes = Array.from({ length: 1 + random(60) }, (_, order) => randomRoute(random, order))
        let router = build(routes)
        for (let edit = 0; edit < 6; edit += 1) {
          for (let round = 0; round < 60; round += 1) {
            const shape = randomConnection(random)
            assert.equal(takes(router, shape), oracle(routes, shape)?.id, `seed ${seed}: ${JSON.stringify(shape)}`)
          }
          const remove = routes.filter(() => random(8) === 0)
          const kept = routes.filter((route) => !remove.includes(route))
          const again = remove.filter(() => random(2) === 0).map((route) => randomRoute(random, route.rule.order))
          const fresh = Array.from({ length: random(4) }, (_, index) => randomRoute(random, 1000 * (edit + 1) + index))
          router = router.with({ remove, add: [...again, ...fresh] })
          routes = [...kept, ...again, ...fresh]
        }
      }
    })
  })
}

/** Linear, in the order that § 8 of the resource paper gives; ties by priority and load order. */
function oracle(routes: readonly Route[], shape: ConnectionShape): Route | undefined {
  const exchange = connectionOf(shape)
  const sorted = [...routes].sort((a, b) => b.rule.priority - a.rule.priority || a.rule.order - b.rule.order)
  const rest = ({ rule }: Route): boolean => {
    const { localPort, localAddress, remoteAddress } = exchange.downstream
    if (rule.serverPorts.length > 0 && !rule.serverPorts.includes(localPort)) return false
    if (rule.serverAddrs.length > 0 && !new IpSet(rule.serverAddrs).has(localAddress)) return false
    if (rule.remoteAddrs.length > 0 && !new IpSet(rule.remoteAddrs).has(remoteAddress)) return false
    return rule.vars === undefined || compileExpression(rule.vars).evaluate((name) => exchange.variable(name))
  }
  const fitting = sorted.filter(rest)
  const serverName = shape.serverName ?? shape.preread
  if (serverName) {
    const exact = fitting.find((route) => route.rule.snis.includes(serverName))
    if (exact !== undefined) return exact
    for (let from = 0; from <= serverName.length; from += 1) {
      const pattern = `*${serverName.slice(from)}`
      const found = fitting.find((route) => route.rule.snis.includes(pattern))
      if (found !== undefined) return found
    }
  }
  return fitting.find((route) => route.rule.snis.length === 0)
}

type Random = (below: number) => number

/** Numbers that are the same on every run (a linear congruential generator; its high bits). */
function generator(seed: number): Random {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T
const some = <T>(random: Random, items: readonly T[]): readonly T[] =>
  random(2) === 0 ? [] : [...new Set(Array.from({ length: 1 + random(3) }, () => pick(random, items)))]

const names = ['a.test', 'b.test', 'x.a.test', 'y.a.test', 'z.y.a.test', 'test']
const patterns = [...names, '*.a.test', '*.test', '*', '*a.test', '*.y.a.test']
const clients = ['10.0.0.1', '10.0.0.2', '10.1.0.1', '192.0.2.1', '2001:db8::1']
const nets = [...clients, '10.0.0.0/16', '10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0']
const servers = ['127.0.0.1', '127.0.0.2']
const expressions = [undefined, undefined, undefined, [['remote_addr', '~~', '1$']], [['sni', '!', '==', 'a.test']]]

function randomRoute(random: Random, order: number): Route {
  return routeOf(`r${order}`, order, {
    serverPorts: some(random, [1, 2, 257, 65_535]),
    serverAddrs: random(4) === 0 ? some(random, [...servers, '127.0.0.0/8']) : [],
    remoteAddrs: some(random, random(2) === 0 ? clients : nets),
    snis: some(random, patterns),
    vars: pick(random, expressions),
    priority: random(3) === 0 ? random(3) : 0,
  })
}

function randomConnection(random: Random): ConnectionShape {
  return {
    port: pick(random, [1, 2, 257, 65_535, 9]),
    remote: pick(random, clients),
    local: pick(random, servers),
    serverName: pick(random, [...names, 'other', undefined, undefined]),
  }
}
