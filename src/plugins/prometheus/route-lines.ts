/**
 * The instruments of one route, found again without making a text: by node, consumer and what matched, all of which are strings
 * that configuration holds. It counts nothing and knows no exchange.
 */
import type { Counter, Histogram } from '#sdk'

/** Where an answer came from, as an index. */
export const sources = ['apisix', 'nginx', 'upstream'] as const

/** What is counted for one node, consumer, and pattern of a route. */
export class Line {
  readonly consumer: string
  readonly uri: string
  readonly host: string
  readonly node: string
  /** Undefined: the family has labels of its own for every exchange. */
  readonly latency:
    | { readonly request: Histogram; readonly upstream: Histogram | undefined; readonly apisix: Histogram }
    | undefined
  readonly bandwidth: { readonly ingress: Counter; readonly egress: Counter } | undefined
  /** By source and status. */
  readonly #statuses: readonly Map<number, Counter>[] = sources.map(() => new Map())

  constructor(
    place: { readonly consumer: string; readonly uri: string; readonly host: string; readonly node: string },
    latency: Line['latency'],
    bandwidth: Line['bandwidth'],
  ) {
    this.consumer = place.consumer
    this.uri = place.uri
    this.host = place.host
    this.node = place.node
    this.latency = latency
    this.bandwidth = bandwidth
  }

  status(source: number, status: number): Counter | undefined {
    return this.#statuses[source]?.get(status)
  }

  keep(source: number, status: number, counter: Counter): void {
    this.#statuses[source]?.set(status, counter)
  }
}

/** Nodes come and go with discovery: so many lines of one route are remembered, then it starts over. */
const maxLines = 4096

export class RouteLines {
  readonly route: string
  readonly service: string
  #lines = new Map<string, Map<string, Line[]>>()
  #size = 0
  #last: Line | undefined

  constructor(route: string, service: string) {
    this.route = route
    this.service = service
  }

  find(node: string, consumer: string, uri: string, host: string): Line | undefined {
    const last = this.#last
    if (last !== undefined && last.node === node && fits(last, consumer, uri, host)) return last
    const lines = this.#lines.get(node)?.get(consumer)
    if (lines === undefined) return undefined
    // As many as the route has pairs of a path and a host.
    for (const line of lines) {
      if (!fits(line, consumer, uri, host)) continue
      this.#last = line
      return line
    }
    return undefined
  }

  add(line: Line): void {
    if (this.#size >= maxLines) {
      this.#lines = new Map()
      this.#size = 0
    }
    this.#size++
    this.#last = line
    let byConsumer = this.#lines.get(line.node)
    if (byConsumer === undefined) {
      byConsumer = new Map()
      this.#lines.set(line.node, byConsumer)
    }
    const lines = byConsumer.get(line.consumer)
    if (lines === undefined) byConsumer.set(line.consumer, [line])
    else lines.push(line)
  }
}

function fits(line: Line, consumer: string, uri: string, host: string): boolean {
  return line.consumer === consumer && line.uri === uri && line.host === host
}
