/**
 * What 100,000 HTTP routes cost: bytes a route, the time of one edit, and the tail of single matches beside that of a router
 * with 100 routes, asked turn about. Run by itself: it measures the heap.
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
  readonly router: HttpRouterIndex
  readonly exchanges: readonly HttpExchange[]
  readonly ns: number[]
}

function asked(router: HttpRouterIndex, shape: HttpRouteShape, count: number): Asked {
  return { router, exchanges: httpRequestsOf(shape, count).map(({ exchange }) => exchange), ns: [] }
}

/** Each match is timed by itself; the cost of looking at the clock is in both figures. */
function ask({ router, exchanges, ns }: Asked): void {
  for (const exchange of exchanges) {
    const before = process.hrtime.bigint()
    router.match(exchange)
    ns.push(Number(process.hrtime.bigint() - before))
  }
}

function tail({ ns }: Asked, part: number): number {
  const sorted = ns.slice(ns.length >> 2).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * part)] as number
}

process.stdout.write(`${process.version} ${process.platform}-${process.arch}, ${many} routes, beside ${few}\n`)
for (const mode of httpRouterModes) {
  for (const shape of httpRouteShapes) {
    const routes = httpRoutesOf(shape, many)
    const before = heapBytes()
    const building = process.cpuUsage()
    let router = httpRouterOf(mode, routes)
    const buildMs = cpuMs(building)
    const bytes = (heapBytes() - before) / many
    const [large, small] = [asked(router, shape, many), asked(httpRouterOf(mode, httpRoutesOf(shape, few)), shape, few)]
    for (let round = 0; round < rounds; round += 1) {
      ask(large)
      ask(small)
    }
    const editing = process.cpuUsage()
    for (let index = 0; index < edits; index += 1) {
      router = router.with({ add: [routeAt(shape, (index * 7919) % many)], remove: [] })
    }
    const editMs = cpuMs(editing) / edits
    const tails = [0.5, 0.99].map((part) => `${tail(small, part)} → ${tail(large, part)} ns`)
    process.stdout.write(
      `${mode.padEnd(28)} ${shape.name.padEnd(22)} ${bytes.toFixed(0).padStart(5)} bytes a route, ` +
        `build ${buildMs.toFixed(0)} ms, edit ${(editMs * 1000).toFixed(0)} µs of CPU, ` +
        `match p50 ${tails[0]}, p99 ${tails[1]}\n`,
    )
  }
}
