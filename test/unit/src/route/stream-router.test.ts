/** What the router of streams offers beyond matching: questions about ClientHellos, and edits that cost what they change. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { checkRule } from '../../../../src/route/candidate.ts'
import type { Route, StreamRule } from '../../../../src/route/router.ts'
import { StreamRouter } from '../../../../src/route/stream-router.ts'
import { type ConnectionShape, connectionOf, linkOf, routeOf } from '../../../support/connections.ts'

test('a ClientHello is needed where a route has names or passes TLS through, and no longer when it is gone', () => {
  const named = routeOf('named', 0, { serverPorts: [1], snis: ['a.test', '*.b.test'] })
  const through = routeOf('through', 1, { serverPorts: [2], passthrough: true })
  const router = StreamRouter.of([named, through, routeOf('plain', 2, { serverPorts: [3] })])
  assert.deepEqual(
    [1, 2, 3, 4].map((port) => router.needsHello(port)),
    [true, true, false, false],
  )
  const less = router.with({ remove: [named] })
  assert.deepEqual(
    [1, 2, 3].map((port) => less.needsHello(port)),
    [false, true, false],
  )
  const edited = less.with({ add: [routeOf('through', 1, { serverPorts: [2] })] })
  assert.equal(edited.needsHello(2), false)
  const any = edited.with({ add: [routeOf('any', 3, { snis: ['a.test'] })] })
  assert.equal(any.needsHello(77), true)
  assert.equal(any.with({ remove: [named] }), any)
})

test('TLS passes through when the route that the ClientHello leads to says so', () => {
  const router = StreamRouter.of([
    routeOf('through', 0, { serverPorts: [1], snis: ['*.through.test'], passthrough: true }),
    routeOf('ended', 1, { serverPorts: [1], snis: ['ended.through.test'] }),
    routeOf('by-var', 2, { vars: [['ssl_preread_alpn_protocols', '~~', 'mqtt']], passthrough: true }),
  ])
  const asks = (serverName: string | undefined, port = 1, alpn: string[] = []): boolean =>
    router.passesThrough(linkOf({ port }), { serverName, alpn })
  assert.equal(asks('a.through.test'), true)
  assert.equal(asks('ended.through.test'), false)
  assert.equal(asks('other.test'), false)
  assert.equal(asks('a.through.test', 2), false)
  assert.equal(asks(undefined, 2, ['h2', 'mqtt']), true)
})

test('the size is the number of routes', () => {
  const router = StreamRouter.of([routeOf('a', 0), routeOf('b', 1, { serverPorts: [1, 2], snis: ['x', 'y'] })])
  assert.equal(router.size, 2)
  assert.equal(router.with({ add: [routeOf('a', 0)] }).size, 2)
  assert.equal(router.with({ remove: [routeOf('a', 0)] }).size, 2)
})

test('a rule that cannot be used is refused with its reason', () => {
  const refuse = (rule: Partial<StreamRule>, message: string): void => {
    const route = routeOf('bad', 0, rule)
    assert.throws(() => checkRule(route.rule), { message })
    assert.throws(() => StreamRouter.of([route]), { message })
  }
  refuse({ remoteAddrs: ['10.0.0.1', '10.0.0.0/33'] }, 'invalid ip address: 10.0.0.0/33')
  refuse({ serverAddrs: ['localhost'] }, 'invalid ip address: localhost')
  refuse({ vars: [['x', '=', 'y']] }, "invalid operator '='")
})

const many = 10_000
const tables: Readonly<
  Record<string, { rule: (n: number) => Partial<StreamRule>; connection: (n: number) => ConnectionShape }>
> = {
  'by port': { rule: (n) => ({ serverPorts: [n + 1] }), connection: (n) => ({ port: n + 1 }) },
  'by name': { rule: (n) => ({ snis: [`s${n}.test`] }), connection: (n) => ({ serverName: `s${n}.test` }) },
  'by suffix': { rule: (n) => ({ snis: [`*.s${n}.test`] }), connection: (n) => ({ serverName: `x.s${n}.test` }) },
  'by client': {
    rule: (n) => ({ serverPorts: [9100], remoteAddrs: [`10.1.${n >> 8}.${n & 255}`] }),
    connection: (n) => ({ remote: `10.1.${n >> 8}.${n & 255}` }),
  },
  'by network': {
    rule: (n) => ({ remoteAddrs: [`10.${n >> 8}.${n & 255}.0/24`] }),
    connection: (n) => ({ remote: `10.${n >> 8}.${n & 255}.7` }),
  },
}

/** The best of a few: others use the machine too. */
function bestMs(rounds: number, run: (round: number) => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round += 1) {
    const before = performance.now()
    run(round)
    best = Math.min(best, performance.now() - before)
  }
  return best
}

for (const [name, { rule, connection }] of Object.entries(tables)) {
  test(`10,000 routes ${name}: each is found, and editing one costs far less than a millisecond`, () => {
    const routes = Array.from({ length: many }, (_, order) => routeOf(`${order}`, order, rule(order)))
    let router = StreamRouter.of(routes)
    for (let n = 0; n < many; n += 997) assert.equal(router.match(connectionOf(connection(n)))?.id, `${n}`)
    const editMs = bestMs(50, (round) => {
      const n = round * 150
      const fresh: Route = routeOf(`${n}`, n, rule(n))
      router = router.with({ add: [fresh], remove: [routes[n] as Route] })
    })
    assert.ok(editMs < 1, `${editMs} ms`)
    assert.equal(router.size, many)
    for (let n = 0; n < many; n += 997) assert.equal(router.match(connectionOf(connection(n)))?.id, `${n}`)
  })
}
