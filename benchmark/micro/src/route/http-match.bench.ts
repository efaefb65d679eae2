/** Matching among 100 and 100,000 HTTP routes in each mode, and editing one of 100,000. Tails and memory: `http-routes.ts`. */
import assert from 'node:assert/strict'
import type { HttpMatch } from '../../../../src/route/http-route.ts'
import { httpRouterModes } from '../../../../src/route/http-router.ts'
import type { Bench } from '../../harness.ts'
import { httpRequestsOf, httpRouterOf, httpRouteShapes, httpRoutesOf, routeAt } from './http-route-shapes.ts'

const match = httpRouterModes.flatMap((mode) =>
  httpRouteShapes.flatMap((shape) =>
    [100, 100_000].map((count): Bench => {
      let router = httpRouterOf(mode, [])
      const requests = httpRequestsOf(shape, count)
      return {
        name: `http route: ${mode}, match by ${shape.name}, ${count} routes`,
        check() {
          router = httpRouterOf(mode, httpRoutesOf(shape, count))
          for (const { exchange, id } of requests) assert.equal(router.match(exchange)?.route.id, id)
        },
        run(times) {
          let last: HttpMatch | undefined
          for (let index = 0; index < times; index += 1) {
            const request = requests[index % requests.length]
            if (request !== undefined) last = router.match(request.exchange)
          }
          return last
        },
        done() {
          router = httpRouterOf(mode, [])
        },
      }
    }),
  ),
)

const edit = httpRouteShapes.map((shape): Bench => {
  let router = httpRouterOf('radixtree_host_uri', [])
  return {
    name: `http route: edit one of 100,000 by ${shape.name}`,
    check() {
      router = httpRouterOf('radixtree_host_uri', httpRoutesOf(shape, 100_000))
    },
    run(times) {
      let edited = router
      for (let index = 0; index < times; index += 1) {
        edited = edited.with({ add: [routeAt(shape, (index * 7919) % 100_000)], remove: [] })
      }
      assert.equal(edited.size, 100_000)
      return edited
    },
    done() {
      router = httpRouterOf('radixtree_host_uri', [])
    },
  }
})

export const benches: readonly Bench[] = [...match, ...edit]
