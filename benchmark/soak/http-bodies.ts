/**
 * Requests of an HTTP soak that wrk does not make: bodies there and back, large answers, packed ones, HEAD, preflights; and
 * clients that go away in the middle. Their routes are not changed, all around them is.
 */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Dice } from '../../test/support/dice.ts'
import type { HttpBackends } from './http-backends.ts'
import type { HttpClient, Question, Wanted } from './http-client.ts'
import { steadyCount, steadyKey } from './http-steady.ts'

export interface BodiesOptions {
  readonly client: HttpClient
  readonly backends: HttpBackends
  readonly port: number
  readonly seed: number
  readonly signal: AbortSignal
  readonly failed: (what: string) => void
}

export interface BodyCounts {
  requests: number
  bytes: number
  /** Clients that went away. */
  gone: number
}

const restMs = 30
const mostBytes = 200_000

/** One request after the other until aborted. */
export async function exchangeBodies(options: BodiesOptions): Promise<BodyCounts> {
  const { client, backends, port, signal, failed } = options
  const dice = new Dice(options.seed * 1000 + 500)
  const counts: BodyCounts = { requests: 0, bytes: 0, gone: 0 }
  while (!signal.aborted) {
    if (dice.roll(6) === 0) {
      await goAway(port, dice)
      counts.gone += 1
    } else {
      const [question, wanted] = dice.pick(makers)(dice, backends)
      const fault = await client.check({ ...question, fresh: dice.roll(4) === 0 }, wanted)
      if (fault !== undefined) failed(`bodies: ${fault}`)
      counts.requests += 1
      counts.bytes += (question.body?.length ?? 0) + (wanted.body instanceof Buffer ? wanted.body.length : 0)
    }
    await pause(dice.roll(restMs))
  }
  return counts
}

type Maker = (dice: Dice, backends: HttpBackends) => readonly [Question, Wanted]

const secure = (dice: Dice): Pick<Question, 'sni'> => (dice.roll(3) === 0 ? { sni: 'localhost' } : {})
const steady = (dice: Dice): string => `/steady/${dice.roll(steadyCount)}`
const said = (path: string): RegExp => new RegExp(`^b\\d [A-Z]+ ${path} `)

const makers: readonly Maker[] = [
  (dice) => {
    const body = bytes(dice)
    return [
      { path: '/echo', method: 'POST', body, ...secure(dice) },
      { status: 200, body },
    ]
  },
  (dice) => {
    const body = bytes(dice)
    const headers = { 'transfer-encoding': 'chunked' }
    return [
      { path: '/echo/chunked', method: 'PUT', body, headers, ...secure(dice) },
      { status: 200, body },
    ]
  },
  (dice) => {
    const body = bytes(dice)
    const headers = { 'content-length': `${body.length}`, 'accept-encoding': 'gzip' }
    return [
      { path: '/echo/packed', method: 'POST', body, headers, ...secure(dice) },
      { status: 200, body },
    ]
  },
  (dice, { large }) => [
    { path: '/large', ...secure(dice) },
    { status: 200, body: large },
  ],
  (dice) => {
    const path = steady(dice)
    return [
      { path, headers: { apikey: steadyKey, 'accept-encoding': 'gzip' }, ...secure(dice) },
      { status: 200, body: said(path) },
    ]
  },
  (dice) => [
    { path: steady(dice), method: 'HEAD', headers: { apikey: steadyKey }, ...secure(dice) },
    { status: 200, body: /^$/ },
  ],
  (dice) => {
    const path = steady(dice)
    return [
      { path, method: 'POST', headers: { apikey: steadyKey }, body: bytes(dice), ...secure(dice) },
      { status: 200, body: said(path) },
    ]
  },
  (dice) => [
    { path: `/nowhere/${dice.roll(100)}`, ...secure(dice) },
    { status: 404, body: /404 Route Not Found/ },
  ],
]

function bytes(dice: Dice): Buffer {
  return Buffer.alloc(dice.roll(3) === 0 ? dice.roll(64) : dice.roll(mostBytes), `${dice.roll(1_000_000)} `)
}

/** Within the head, within the body, before the answer or within it; by a reset or by an end. */
async function goAway(port: number, dice: Dice): Promise<void> {
  const heads = [
    'GET /large HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /large HTTP/1.1\r\nHost: x\r\nX-Half',
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf of it',
    'POST /echo/chunked HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal',
    'GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /large HTTP/1.1\r\nHost: x\r\n\r\n',
  ]
  const socket = connect({ host: '127.0.0.1', port })
  const closed = new Promise<void>((done) => socket.once('close', () => done()))
  socket.on('error', () => {})
  socket.write(dice.pick(heads))
  if (dice.roll(2) === 0) socket.once('data', () => socket.pause())
  await pause(dice.roll(40))
  if (dice.roll(2) === 0) socket.resetAndDestroy()
  else socket.destroy()
  await closed
}
