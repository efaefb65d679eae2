/** The upstream half of HTTP/1.1 on real connections of every wire, against servers of Node's own. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, Server } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import test, { after, before, describe } from 'node:test'
import { Http1Client } from '../../protocols/http1/index.ts'
import { TimerWheel } from '../../src/base/timers.ts'
import type { GatewayError } from '../../src/errors.ts'
import { HeaderList } from '../../src/exchange/header-list.ts'
import type { BodyReceiver, RequestBody, ResponseHead } from '../../src/exchange/http-exchange.ts'
import type { Wire } from '../../src/net/wire.ts'
import { wires } from '../../src/net/wires.ts'
import type { ResponseReceiver, UpstreamRequest } from '../../src/protocol/http-protocol.ts'
import { httpExchange } from '../support/http-exchange.ts'
import { MemoryBody } from '../support/memory-body.ts'
import { dialled, streamTo } from '../support/recorder.ts'
import { until } from '../support/until.ts'

for (const { name, refusal, create } of wires) {
  const reason = refusal()
  if (reason !== undefined) test(`the upstream half of http1 on ${name}`, { skip: reason })
  else describe(`the upstream half of http1 on ${name}`, () => suite(create))
}

class Answer implements ResponseReceiver {
  response: ResponseHead | undefined
  text = ''
  size = 0
  outcome: 'ended' | GatewayError | undefined
  trailers: HeaderList | undefined
  onPart: (() => void) | undefined

  interim(): void {}
  head(head: ResponseHead): void {
    this.response = head
  }
  part(bytes: Uint8Array): void {
    this.size += bytes.length
    if (this.size < 1000) this.text += Buffer.from(bytes).toString()
    this.onPart?.()
  }
  flush(): void {}
  ended(trailers: HeaderList | undefined): void {
    this.trailers = trailers
    this.outcome = 'ended'
  }
  failed(error: GatewayError): void {
    this.outcome = error
  }
  upgraded(): void {}
  sending(): void {}
}

/** So many bytes, as fast as they are taken. */
class FloodBody implements RequestBody {
  readonly length: number | undefined
  readonly replayable = false
  readonly error = undefined
  complete = false
  received = 0
  readonly #size: number
  #receiver: BodyReceiver | undefined
  #paused = false
  #going = false

  constructor(size: number, announced: boolean) {
    this.#size = size
    this.length = announced ? size : undefined
  }
  open(receiver: BodyReceiver): void {
    this.#receiver = receiver
    this.#go()
  }
  pause(): void {
    this.#paused = true
  }
  resume(): void {
    this.#paused = false
    this.#go()
  }
  collect(): never {
    throw new Error('too large')
  }
  replace(): void {}
  limit(): void {}
  #go(): void {
    if (this.#going || this.complete) return
    this.#going = true
    while (!this.#paused && this.received < this.#size) {
      const part = Buffer.alloc(Math.min(50_000, this.#size - this.received), 'z')
      this.received += part.length
      this.#receiver?.part(part)
    }
    this.#going = false
    if (this.received < this.#size) return
    this.complete = true
    this.#receiver?.ended(undefined)
  }
}

function suite(create: () => Wire): void {
  const wheel = new TimerWheel({ tickMs: 20, unref: true })
  const limits = { sendMs: 0, readMs: 0, wheel }
  const servers: net.Server[] = []
  let wire: Wire
  before(() => {
    wire = create()
  })
  after(() => {
    for (const server of servers) {
      if (server instanceof Server) server.closeAllConnections()
      server.close()
    }
  })

  async function connected(server: net.Server): Promise<Http1Client> {
    servers.push(server)
    server.listen({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const { link, error } = await dialled(wire, streamTo((server.address() as AddressInfo).port))
    assert.ok(link !== undefined, String(error))
    return new Http1Client(link)
  }
  /** What it says, and does, once it was asked anything. */
  const speaking = (say: (socket: net.Socket) => void): Promise<Http1Client> =>
    connected(net.createServer((socket) => socket.on('error', () => undefined).once('data', () => say(socket))))
  const serving = (answer: RequestListener): Promise<Http1Client> => connected(createServer(answer))

  async function ask(client: Http1Client, given: Partial<UpstreamRequest> = {}): Promise<Answer> {
    const answer = new Answer()
    const headers = HeaderList.of({ Host: 'up' })
    const { request } = httpExchange()
    const body = new MemoryBody([])
    client.send({ method: 'GET', uri: '/', headers, body, upgrade: undefined, request, ...given }, limits, answer)
    await until(() => answer.outcome !== undefined, { ms: 60_000, what: 'the outcome' })
    return answer
  }

  test('one connection carries many requests', async () => {
    const ports = new Set<number | undefined>()
    const client = await serving((request, response) => {
      ports.add(request.socket.remotePort)
      response.end(`you asked for ${request.url}`)
    })
    for (let round = 0; round < 20; round += 1) {
      const answer = await ask(client, { uri: `/${round}` })
      assert.deepEqual(
        [answer.response?.status, answer.text, answer.outcome],
        [200, `you asked for /${round}`, 'ended'],
      )
    }
    assert.deepEqual([ports.size, client.served], [1, 20])
    client.close()
  })

  test('bodies of many megabytes go both ways whole, held back by who is slow', async () => {
    const client = await serving((request, response) => {
      let size = 0
      request.on('data', (part: Buffer) => {
        size += part.length
      })
      request.on('end', () => {
        response.setHeader('x-size', size)
        const part = Buffer.alloc(100_000, 'y')
        let left = 200
        const more = (): void => {
          while (left-- > 0) if (!response.write(part)) return void response.once('drain', more)
          response.addTrailers({ 'X-Done': 'yes' })
          response.end()
        }
        more()
      })
    })
    for (const announced of [true, false]) {
      const body = new FloodBody(30_000_000, announced)
      const answer = await ask(client, { method: 'POST', body })
      assert.equal(answer.response?.headers.get('x-size'), '30000000')
      assert.deepEqual([answer.size, answer.outcome, answer.trailers?.get('x-done')], [20_000_000, 'ended', 'yes'])
    }
    client.close()
  })

  test('a paused answer stays with the endpoint', async () => {
    let taken = 0
    const client = await serving((_request, response) => {
      const part = Buffer.alloc(100_000)
      const more = (): void => {
        while (taken < 50_000_000) {
          taken += part.length
          if (!response.write(part)) return void response.once('drain', more)
        }
        response.end()
      }
      more()
    })
    const answer = new Answer()
    answer.onPart = () => client.pause()
    const headers = HeaderList.of({ Host: 'up' })
    const { request } = httpExchange()
    const body = new MemoryBody([])
    client.send({ method: 'GET', uri: '/', headers, body, upgrade: undefined, request }, limits, answer)
    let before = -1
    await until(
      async () => {
        const isStill = before === taken && answer.size > 0
        before = taken
        await new Promise((resolve) => setTimeout(resolve, 50))
        return isStill
      },
      { what: 'the endpoint to be held back' },
    )
    assert.ok(answer.size < 2_000_000 && taken < 40_000_000, `${answer.size} of ${taken}`)
    answer.onPart = undefined
    client.resume()
    await until(() => answer.outcome === 'ended', { ms: 60_000, what: 'the rest' })
    assert.equal(answer.size, 50_000_000)
    client.close()
  })

  test('an endpoint that closes at once, or answers nonsense, is told from one that answers', async () => {
    const closing = await speaking((socket) => socket.end())
    assert.equal(((await ask(closing)).outcome as GatewayError).code, 'upstream_closed')
    const resetting = await speaking((socket) => socket.resetAndDestroy())
    assert.equal(((await ask(resetting)).outcome as GatewayError).code, 'upstream_reset')
    const nonsense = await speaking((socket) => socket.write('220 smtp\r\n'))
    assert.equal(((await ask(nonsense)).outcome as GatewayError).code, 'bad_response')
    const short = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'
    const cut = await speaking((socket) => socket.end(short))
    assert.equal(((await ask(cut)).outcome as GatewayError).code, 'bad_response')
  })

  test('an answer without a length is whole when the endpoint closes', async () => {
    const text = 'HTTP/1.0 200 OK\r\n\r\nall of it'
    const client = await speaking((socket) => socket.end(text))
    const answer = await ask(client)
    assert.deepEqual([answer.text, answer.outcome, client.closed], ['all of it', 'ended', true])
  })

  test('an idle connection that the endpoint closes is told to whoever keeps it', async () => {
    const server = createServer((_request, response) => response.end('x'))
    const client = await connected(server)
    let ended = 0
    client.ended = () => {
      ended += 1
    }
    await ask(client)
    assert.equal(client.closed, false)
    server.closeAllConnections()
    await until(() => ended === 1, { what: 'the end' })
    assert.equal(client.closed, true)
  })
}
