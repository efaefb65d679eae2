/** What is done to each contender over HTTP, by wrk, and by a generator of our own where the rate is fixed. */
import type { Contender } from './contenders.ts'
import { largeBytes } from './http-backend.ts'
import { apiKey } from './http-contenders.ts'
import type { RatedWorkload, Workload } from './workloads.ts'

interface Shape {
  readonly connections: number
  readonly path: string
  /** The path of the contender that this needs. */
  readonly needs?: string
  readonly secure?: boolean
  readonly headers?: readonly string[]
  /** Makes it a POST with a body of so many bytes. */
  readonly postBytes?: number
}

function http(name: string, title: string, shape: Shape): Workload {
  return { name, title, unit: 'request', command: (contender, seconds) => command(contender, shape, seconds) }
}

function command({ ports, paths }: Contender, shape: Shape, seconds: number): ReturnType<Workload['command']> {
  const { connections, path, secure = false, needs = '/', headers = [], postBytes } = shape
  const port = secure ? ports.https : ports.http
  if (port === undefined || !paths.includes(needs)) return undefined
  const url = `${secure ? 'https' : 'http'}://localhost:${port}${path}`
  const options = ['--connections', connections, '--duration', `${Math.max(1, Math.round(seconds))}s`]
  const sent = headers.flatMap((header) => ['--header', header])
  const body = postBytes === undefined ? [] : ['--', postBytes]
  return { generator: 'wrk', args: [...options, ...sent, url, ...body] }
}

const small = http('http-get', 'GET, about 100 bytes, 64 connections that are kept', { connections: 64, path: '/' })

export const httpWorkloads: readonly Workload[] = [
  small,
  http('http-get-8', 'the same on 8 connections', { connections: 8, path: '/' }),
  http('http-1m', 'GET, a body of 1 MiB, 8 connections that are kept', { connections: 8, path: '/large' }),
  http('http-1m-post', 'POST, a body of 1 MiB, 8 connections that are kept', {
    connections: 8,
    path: '/upload',
    postBytes: largeBytes,
  }),
  http('http-new', 'GET, about 100 bytes, a new connection for each, 64 at once', {
    connections: 64,
    path: '/',
    headers: ['Connection: close'],
  }),
  http('https-get', 'GET over TLS, about 100 bytes, 64 connections that are kept', {
    connections: 64,
    path: '/',
    secure: true,
  }),
  http('http-key-auth', 'as http-get, with a key that is looked up (nginx: a map)', {
    connections: 64,
    path: '/keyed',
    needs: '/keyed',
    headers: [`apikey: ${apiKey}`],
  }),
  http('http-limit', 'as http-get, counted by limit-count and prometheus (nginx: limit_req)', {
    connections: 64,
    path: '/limited',
    needs: '/limited',
  }),
]

export const httpLatency: RatedWorkload = {
  name: 'http-latency',
  title: 'as http-get, at half of what nginx can take',
  unit: 'request',
  most: small,
  at: (perSecond) => ({
    ...small,
    name: 'http-latency',
    command: ({ ports }, seconds) =>
      ports.http === undefined
        ? undefined
        : { generator: 'http-rate', args: [ports.http, 64, Math.round(perSecond), seconds, '/'] },
  }),
}

/** Processor time of APISIX 3.18 and of nginx beside it, µs a request: measured earlier on one machine, for orientation. */
const apisixMicros: Readonly<Record<string, readonly [low: number, high: number]>> = {
  'http-get': [54, 60],
  'http-key-auth': [70, 92],
  'http-limit': [140, 140],
}
const nginxMicros = [15.4, 18.4] as const

/** What APISIX took for a workload, as a ratio to plain nginx; undefined where it was not measured. */
export function apisixRemark(workload: string): string | undefined {
  const micros = apisixMicros[workload]
  if (micros === undefined) return undefined
  const middle = ([low, high]: readonly [number, number]): number => (low + high) / 2
  const ratio = (middle(micros) / middle(nginxMicros)).toFixed(1)
  return `APISIX 3.18, measured earlier on one machine: CPU ÷ nginx ${ratio}`
}
