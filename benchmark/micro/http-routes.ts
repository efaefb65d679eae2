/**
 * What 100,000 HTTP routes cost: bytes a route, the time of one edit, and the tail of single matches beside that of a router
 * with 100 routes, asked turn about; and what one look into a map of as many costs. Run by itself: it measures the heap.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { HttpExchange } from '../../src/exchange/http-exchange.ts'
import type { HttpRouterIndex } from '../../src/route/http-route.ts'
import { httpRouterModes } from '../../src/route/http-router.ts'
import {
  type HttpRouteShape,
  httpRequestsOf,
  httpRouterOf,
  httpRouteShapes,
  httpRoutesOf,
  routeAt,
} from './src/route/http-route-shapes.ts'

const many = 100_000
const few = 100
const rounds = 60
const edits = 2000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the heap in use, after everything that nobody holds is gone. */
function heapBytes(): number {
  for (let round = 0; round < 4; round += 1) collect()
  return process.memoryUsage().heapUsed
}

const cpuMs = (since: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

interface Asked {
  readonly find: (exchange: HttpExchange) => unknown
  readonly exchanges: readonly HttpExchange[]
  readonly ns: number[]
}

function asked(router: HttpRouterIndex, shape: HttpRouteShape, count: number): Asked {
  const exchanges = httpRequestsOf(shape, count).map(({ exchange }) => exchange)
  return { find: (exchange) => router.match(exchange), exchanges, ns: [] }
}

/** The least that finding one of so many can cost: a look into one map. */
function mapped(shape: HttpRouteShape, count: number): Asked {
  const map = new Map(Array.from({ length: count }, (_, n) => [shape.target(n), routeAt(shape, n)]))
  const exchanges = httpRequestsOf(shape, count).map(({ exchange }) => exchange)
  return { find: ({ request }) => map.get(request.path)?.id, exchanges, ns: [] }
}

/** Each is timed by itself; the cost of looking at the clock is in all figures. */
function ask({ find, exchanges, ns }: Asked): void {
  for (const exchange of exchanges) {
    const before = process.hrtime.bigint()
    find(exchange)
    ns.push(Number(process.hrtime.bigint() - before))
  }
}

function tails(small: Asked, large: Asked): string {
  for (let round = 0; round < rounds; round += 1) {
    ask(large)
    ask(small)
  }
  const [middle, end] = [0.5, 0.99].map((part) => `${tail(small, part)} → ${tail(large, part)} ns`)
  return `p50 ${middle}, p99 ${end}`
}

function tail({ ns }: Asked, part: number): number {
  const sorted = ns.slice(ns.length >> 2).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * part)] as number
}

process.stdout.write(`${process.version} ${process.platform}-${process.arch}, ${many} routes, beside ${few}\n`)
const [byPath] = httpRouteShapes as readonly [HttpRouteShape]
process.stdout.write(`one look into a map: ${tails(mapped(byPath, few), mapped(byPath, many))}\n`)
for (const mode of httpRouterModes) {
  for (const shape of httpRouteShapes) {
    const routes = httpRoutesOf(shape, many)
    const before = heapBytes()
    const building = process.cpuUsage()
    let router = httpRouterOf(mode, routes)
    const buildMs = cpuMs(building)
    const bytes = (heapBytes() - before) / many
    const [large, small] = [asked(router, shape, many), asked(httpRouterOf(mode, httpRoutesOf(shape, few)), shape, few)]
    const match = tails(small, large)
    const editing = process.cpuUsage()
    for (let index = 0; index < edits; index += 1) {
      router = router.with({ add: [routeAt(shape, (index * 7919) % many)], remove: [] })
    }
    const editMs = cpuMs(editing) / edits
    process.stdout.write(
      `${mode.padEnd(28)} ${shape.name.padEnd(22)} ${bytes.toFixed(0).padStart(5)} bytes a route, ` +
        `build ${buildMs.toFixed(0)} ms, edit ${(editMs * 1000).toFixed(0)} µs of CPU, ` +
        `match ${match}\n`,
    )
  }
}
