/** Matching among 10, 1,000 and 10,000 routes that differ in one thing, and editing one of 10,000. */
import assert from 'node:assert/strict'
import type { Route, StreamRule } from '../../../../src/route/router.ts'
import { StreamRouter } from '../../../../src/route/stream-router.ts'
import { type ConnectionShape, connectionOf, routeOf } from '../../../../test/support/connections.ts'
import type { Bench } from '../../harness.ts'

interface Kind {
  readonly rule: (n: number) => Partial<StreamRule>
  readonly connection: (n: number) => ConnectionShape
}

const kinds: Readonly<Record<string, Kind>> = {
  port: { rule: (n) => ({ serverPorts: [n + 1] }), connection: (n) => ({ port: n + 1 }) },
  'server name': { rule: (n) => ({ snis: [`s${n}.test`] }), connection: (n) => ({ serverName: `s${n}.test` }) },
  'name suffix': { rule: (n) => ({ snis: [`*.s${n}.test`] }), connection: (n) => ({ serverName: `x.s${n}.test` }) },
  'client address': {
    rule: (n) => ({ serverPorts: [9100], remoteAddrs: [`10.1.${n >> 8}.${n & 255}`] }),
    connection: (n) => ({ remote: `10.1.${n >> 8}.${n & 255}` }),
  },
  'client network': {
    rule: (n) => ({ serverPorts: [9100], remoteAddrs: [`10.${n >> 8}.${n & 255}.0/24`] }),
    connection: (n) => ({ remote: `10.${n >> 8}.${n & 255}.7` }),
  },
}

const routesOf = (kind: Kind, count: number): readonly Route[] =>
  Array.from({ length: count }, (_, order) => routeOf(`${order}`, order, kind.rule(order)))

const match = Object.entries(kinds).flatMap(([name, kind]) =>
  [10, 1000, 10_000].map((count): Bench => {
    const router = StreamRouter.of(routesOf(kind, count))
    const connections = Array.from({ length: 128 }, (_, n) => connectionOf(kind.connection((n * 7919) % count)))
    return {
      name: `route: match by ${name}, ${count} routes`,
      check: () => assert.equal(router.match(connectionOf(kind.connection(count - 1)))?.id, `${count - 1}`),
      run(times) {
        let last: Route | undefined
        for (let index = 0; index < times; index += 1) {
          const connection = connections[index & 127]
          if (connection !== undefined) last = router.match(connection)
        }
        return last
      },
    }
  }),
)

const edit = Object.entries(kinds).map(([name, kind]): Bench => {
  const routes = routesOf(kind, 10_000)
  const router = StreamRouter.of(routes)
  return {
    name: `route: edit one of 10,000 by ${name}`,
    run(times) {
      let edited = router
      for (let index = 0; index < times; index += 1) {
        const n = (index * 7919) % 10_000
        edited = edited.with({ add: [routeOf(`${n}`, n, kind.rule(n))] })
      }
      assert.equal(edited.size, 10_000)
      return edited
    },
  }
})

export const benches: readonly Bench[] = [...match, ...edit]
