/** The plainest router of HTTP: every route is tried, paths by regular expressions; and the random tables it is asked about. */
import { IpSet } from '../../src/base/ip-set.ts'
import type { HttpExchange } from '../../src/exchange/http-exchange.ts'
import { compileExpression } from '../../src/route/expression.ts'
import type { HttpRoute } from '../../src/route/http-route.ts'
import type { HttpRouterMode } from '../../src/route/http-router.ts'
import type { TestRequest } from '../support/http-exchange.ts'
import { httpRouteOf } from '../support/http-routes.ts'
import type { Random } from './http-router.ts'

interface Way {
  readonly route: HttpRoute
  readonly uri: string
  readonly key: string
  readonly exact: boolean
  readonly place: number
}

/** What is matched, as plain data; undefined: nothing. */
export function oracle(mode: HttpRouterMode, routes: readonly HttpRoute[], exchange: HttpExchange): unknown {
  const { host } = exchange.request
  if (mode !== 'radixtree_host_uri') return bestOf(routes, exchange, mode, undefined)
  const patterns = new Set(routes.flatMap(({ rule }) => rule.hosts).filter((pattern) => hostFits(pattern, host)))
  const byLength = [...patterns].sort((a, b) => Number(a[0] === '*') - Number(b[0] === '*') || b.length - a.length)
  for (const pattern of host === '' ? [] : byLength) {
    const found = bestOf(
      routes.filter(({ rule }) => rule.hosts.includes(pattern)),
      exchange,
      mode,
      pattern,
    )
    if (found !== undefined) return found
  }
  const hostless = routes.filter(({ rule }) => rule.hosts.length === 0)
  return bestOf(hostless, exchange, mode, undefined)
}

function hostFits(pattern: string, host: string): boolean {
  return pattern.startsWith('*') ? host.endsWith(pattern.slice(1)) : pattern === host
}

function bestOf(
  routes: readonly HttpRoute[],
  exchange: HttpExchange,
  mode: HttpRouterMode,
  host: string | undefined,
): unknown {
  const { path } = exchange.request
  const parameters = mode === 'radixtree_uri_with_parameter'
  const ways = routes.flatMap((route) => route.rule.uris.map((uri, place) => wayOf(route, uri, place, parameters)))
  const candidates = ways
    .filter(({ exact, key }) => (exact ? path === key : path.startsWith(key)))
    .sort(
      (a, b) =>
        Number(b.exact) - Number(a.exact) ||
        b.key.length - a.key.length ||
        b.route.rule.priority - a.route.rule.priority ||
        b.uri.length - a.uri.length ||
        a.route.rule.order - b.route.rule.order ||
        a.place - b.place,
    )
  for (const { route, uri, exact } of candidates) {
    const { methods, remoteAddrs, hosts, vars } = route.rule
    if (methods.length > 0 && !methods.includes(exchange.request.method)) continue
    if (remoteAddrs.length > 0 && !new IpSet(remoteAddrs).has(exchange.remoteAddress)) continue
    const asked = exchange.request.host
    const fitting = asked === '' ? undefined : hosts.find((pattern) => hostFits(pattern, asked))
    if (mode !== 'radixtree_host_uri' && hosts.length > 0 && fitting === undefined) continue
    if (vars !== undefined && !compileExpression(vars).evaluate((name) => exchange.value(name))) continue
    const params = exact ? {} : valuesOf(uri, path, parameters)
    if (params === undefined) continue
    const shown = host ?? (fitting?.startsWith('*') ? fitting : fitting === undefined ? undefined : asked)
    return { id: route.id, uri, host: shown, params: Object.keys(params).length === 0 ? undefined : params }
  }
  return undefined
}

function wayOf(route: HttpRoute, uri: string, place: number, parameters: boolean): Way {
  const end = uri.search(parameters ? /[*:]/ : /[*]/)
  return { route, uri, key: end === -1 ? uri : uri.slice(0, end), exact: end === -1, place }
}

/** Undefined: it does not fit. */
function valuesOf(uri: string, path: string, parameters: boolean): Record<string, string> | undefined {
  const names: string[] = []
  const pattern = uri.split('/').map((segment) => {
    if (parameters && segment.startsWith(':')) {
      names.push(segment.slice(1))
      return '([^/]+)'
    }
    if (!segment.startsWith('*')) return segment.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    names.push(segment.slice(1) || ':ext')
    return '([^]*)'
  })
  if (names.length === 0) return {}
  const found = new RegExp(`^${pattern.join('/')}$`).exec(path)
  if (found === null) return undefined
  return Object.fromEntries(names.map((name, index) => [name, found[index + 1] as string]))
}

const pick = <T>(random: Random, items: readonly T[]): T => items[random(items.length)] as T
const some = <T>(random: Random, items: readonly T[], odds: number): readonly T[] =>
  random(odds) > 0 ? [] : [...new Set(Array.from({ length: 1 + random(3) }, () => pick(random, items)))]

const uris = [
  ...['/', '/a', '/a/b', '/a/b/c', '/ab', '/abc', '/a/', '/b'],
  ...['/*', '/a*', '/a/*', '/a/b*', '/a/b/*', '/ab*', '*', '/b/*rest', '/a/*rest'],
  ...['/*/b', '/a/*/c', '/*/*/c', '/a/*x/b/*y'],
  ...['/:x', '/a/:x', '/:x/b', '/a/:x/c', '/:x/:y', '/a/:x/*rest', '/:x/*/c', '/a/:x/b/:y', '/:x/'],
]
const hosts = ['a.test', 'b.test', 'x.a.test', '*.a.test', '*.test', '*a.test', '*', '*.x.a.test']
const paths = [
  '/',
  '/a',
  '/a/',
  '/a/b',
  '/a/b/c',
  '/a/c',
  '/ab',
  '/abcd',
  '/b',
  '/b/c/d',
  '/a/b/b/c',
  '/x/b',
  '/q',
  '/a/b/b/b/d',
]
const clients = ['10.0.0.1', '10.0.0.2', '192.0.2.1', '2001:db8::1']
const nets = [...clients, '10.0.0.0/8', '2001:db8::/32']
const expressions = [[['arg_v', '==', '1']], [['http_x_v', '~~', '^1']], [['remote_addr', '!', '==', '10.0.0.1']]]

/** `crowded`: few paths, so that many routes meet on one. */
export function randomHttpRoute(random: Random, order: number, crowded: boolean): HttpRoute {
  const from = crowded ? ['/a/*', '/*', '/a/b'] : uris
  return httpRouteOf(`r${order}`, order, {
    uris: [...new Set([pick(random, from), ...some(random, from, 4)])],
    hosts: some(random, hosts, crowded ? 1 : 2),
    methods: some(random, ['GET', 'POST', 'PUT'], 4),
    remoteAddrs: some(random, nets, 6),
    vars: random(5) === 0 ? pick(random, expressions) : undefined,
    priority: random(3) === 0 ? random(3) : 0,
  })
}

export function randomRequest(random: Random): TestRequest {
  return {
    target: pick(random, paths) + pick(random, ['', '', '?v=1']),
    host: pick(random, ['a.test', 'b.test', 'x.a.test', 'y.x.a.test', 'aa.test', 'other', '']),
    method: pick(random, ['GET', 'POST', 'PUT', 'PROPFIND']),
    remoteAddress: pick(random, clients),
    headers: random(3) === 0 ? { 'X-V': '1' } : {},
  }
}
