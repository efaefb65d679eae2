/** Tables of HTTP routes that differ in one thing, and requests for them. They time nothing. */
import type { HttpExchange } from '../../../../src/exchange/http-exchange.ts'
import type { HttpRoute, HttpRouterIndex, HttpRule } from '../../../../src/route/http-route.ts'
import { type HttpRouterMode, httpRouter } from '../../../../src/route/http-router.ts'
import { httpExchange } from '../../../../test/support/http-exchange.ts'
import { httpRouteOf } from '../../../../test/support/http-routes.ts'

export interface HttpRouteShape {
  readonly name: string
  readonly rule: (n: number) => Partial<HttpRule>
  readonly target: (n: number) => string
  readonly host?: (n: number) => string
}

const path = (n: number): string => `/api/v1/service-${n % 1000}/resource-${n}`
const tenant = (n: number): string => `tenant-${n}.example.test`

export const httpRouteShapes: readonly HttpRouteShape[] = [
  { name: 'path', rule: (n) => ({ uris: [path(n)] }), target: path },
  { name: 'prefix', rule: (n) => ({ uris: [`${path(n)}/*`] }), target: (n) => `${path(n)}/item/7` },
  { name: 'host', rule: (n) => ({ uris: ['/*'], hosts: [tenant(n)] }), target: () => '/a/b/c', host: tenant },
  {
    name: 'host suffix',
    rule: (n) => ({ uris: ['/*'], hosts: [`*.${tenant(n)}`] }),
    target: () => '/a/b/c',
    host: (n) => `www.${tenant(n)}`,
  },
  {
    name: 'path, host and method',
    rule: (n) => ({ uris: [path(n), `${path(n)}/*`], hosts: [tenant(n % 500)], methods: ['GET', 'POST'] }),
    target: (n) => `${path(n)}/item`,
    host: (n) => tenant(n % 500),
  },
]

export function routeAt(shape: HttpRouteShape, n: number): HttpRoute {
  return httpRouteOf(`${n}`, n, shape.rule(n))
}

export function httpRoutesOf(shape: HttpRouteShape, count: number): readonly HttpRoute[] {
  return Array.from({ length: count }, (_, n) => routeAt(shape, n))
}

export function httpRouterOf(mode: HttpRouterMode, routes: readonly HttpRoute[]): HttpRouterIndex {
  return httpRouter(mode, routes, { keepEncodedSlashes: false })
}

/** Requests for many of so many routes, with the ids that they take. */
export function httpRequestsOf(
  { target, host }: HttpRouteShape,
  count: number,
): readonly { readonly exchange: HttpExchange; readonly id: string }[] {
  return Array.from({ length: 1000 }, (_, index) => {
    const n = (index * 7919) % count
    return { exchange: httpExchange({ target: target(n), host: host?.(n) ?? 'any.test' }), id: `${n}` }
  })
}
