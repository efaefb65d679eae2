/** Clients, both halves and endpoints in a row, in any order of events: every request gets its own answer, whole. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Http1Client, http1 } from '../../../../protocols/http1/index.ts'
import { TimerWheel } from '../../../../src/base/timers.ts'
import type { GatewayError } from '../../../../src/errors.ts'
import type { HeaderList } from '../../../../src/exchange/header-list.ts'
import type { ResponseHead } from '../../../../src/exchange/http-exchange.ts'
import type { HttpClient, ResponseReceiver } from '../../../../src/protocol/http-protocol.ts'
import { Dice, fuzzSeed } from '../../../support/dice.ts'
import { answerReader } from '../../../support/http1-messages.ts'
import { type Handler, headOf, httpSettings, mirror, type TestJourney, TestRoad } from '../../../support/http1-road.ts'
import { type PairedLink, pairedLinks } from '../../../support/paired-links.ts'

const wheel = new TimerWheel({ unref: true })
const limits = { readMs: 0, sendMs: 0, wheel }

/** Everything that may happen next, in whatever order the dice say. */
class World {
  readonly dice: Dice
  readonly links: PairedLink[] = []
  readonly #later: (() => void)[] = []

  constructor(seed: number) {
    this.dice = new Dice(seed)
  }

  pair(): [PairedLink, PairedLink] {
    const pair = pairedLinks(1 + this.dice.roll(30_000))
    this.links.push(...pair)
    return pair
  }

  /** Now, or when it is its turn. */
  sometime(run: () => void): void {
    if (this.dice.roll(2) === 0) run()
    else this.#later.push(run)
  }

  /** Until nothing is left to happen, or for so many rounds. */
  async run(rounds = Number.POSITIVE_INFINITY): Promise<void> {
    for (let still = 0, round = 0; still < 3 && round < rounds; round += 1) {
      await new Promise(setImmediate)
      if (this.#step()) still = 0
      else still += 1
    }
  }

  #step(): boolean {
    let did = false
    for (let round = 0; round < 50; round += 1) {
      const first = this.dice.roll(this.links.length + 1)
      for (let at = 0; at <= this.links.length; at += 1) {
        const index = (first + at) % (this.links.length + 1)
        if (index < this.links.length ? this.links[index]?.step(this.dice) : this.#doLater()) {
          did = true
          break
        }
      }
    }
    return did
  }

  #doLater(): boolean {
    if (this.#later.length === 0) return false
    const [run] = this.#later.splice(this.dice.roll(this.#later.length), 1)
    run?.()
    return true
  }
}

/** Answers in one of the ways there are, with the body if it was read. */
function endpoint(world: World): Handler {
  return (journey) => {
    const { exchange, sink } = journey
    const { request } = exchange
    const head = headOf(200)
    const whole = (body: string): void => {
      const known = world.dice.roll(2) === 0
      world.sometime(() => {
        sink.begin(head, known ? body.length : undefined)
        const half = world.dice.roll(body.length + 1)
        sink.write(Buffer.from(body.slice(0, half), 'latin1'))
        sink.write(Buffer.from(body.slice(half), 'latin1'))
        sink.finish()
      })
    }
    const way = request.target.slice(1, 2)
    if (way === 'm') mirror(journey)
    else if (way === 'c') {
      Promise.resolve(request.body.collect(1_000_000))
        .then(async (kept) => whole(Buffer.from(await kept.bytes()).toString('latin1')))
        .catch((error: GatewayError) => assert.notEqual(journey.gones.length, 0, error))
    } else if (way === 'i') whole('')
    else {
      journey.onPart = () => {
        if (world.dice.roll(3) > 0) return
        request.body.pause()
        world.sometime(() => request.body.resume())
      }
      journey.onEnd = () => whole(journey.text)
      world.sometime(() => request.body.open(journey))
    }
  }
}

/** Passes requests on, one connection at a time for each, and answers back. */
class Forward implements ResponseReceiver {
  readonly #journey: TestJourney
  readonly #client: HttpClient
  #begun = false
  isWhole = false
  error: GatewayError | undefined = undefined

  constructor(journey: TestJourney, client: HttpClient) {
    this.#journey = journey
    this.#client = client
    journey.onDrain = () => client.resume()
    journey.onGone = () => client.cancel()
    const { request } = journey.exchange
    const { method, target: uri, headers, body } = request
    client.send({ method, uri, headers, body, upgrade: undefined, request }, limits, this)
  }
  interim(): void {}
  sending(): void {}
  upgraded(): void {}
  head(head: ResponseHead, length: number | undefined): void {
    this.#begun = true
    this.#journey.sink.begin(head, length)
  }
  part(bytes: Uint8Array): void {
    if (!this.#journey.sink.write(bytes)) this.#client.pause()
  }
  flush(): void {
    this.#journey.sink.flush()
  }
  ended(trailers: HeaderList | undefined): void {
    this.isWhole = true
    this.#journey.sink.finish(trailers)
  }
  failed(error: GatewayError): void {
    this.error = error
    if (this.#begun) this.#journey.sink.cut()
    else this.#journey.answer(502)
  }
}

function gateway(world: World, forwards: Forward[] = []): Handler {
  const idle: HttpClient[] = []
  const fresh = (): HttpClient => {
    const [near, far] = world.pair()
    const settings = httpSettings({ wheel, memoryBodyBytes: 1_000_000 })
    http1.serve(far, { head: new Uint8Array(0), hello: undefined }, new TestRoad(endpoint(world)), settings, 'endpoint')
    const client = new Http1Client(near)
    client.idle = (one) => void idle.push(one)
    return client
  }
  return (journey) => {
    world.sometime(() => {
      // Its client may have gone while it waited.
      if (journey.gones.length > 0) return
      let client = idle.pop()
      while (client?.closed === true) client = idle.pop()
      forwards.push(new Forward(journey, client ?? fresh()))
    })
  }
}

/** Each body is of one letter. */
const shown = (body: string): string => `${body.length} of ${[...new Set(body)].join('')}`

/** Requests as one text, and the bodies that are to come back. */
function requests(dice: Dice, count: number): [text: string, expected: string[]] {
  let text = ''
  const expected: string[] = []
  for (let index = 0; index < count; index += 1) {
    const way = dice.pick(['e', 'e', 'm', 'c', 'i'])
    const size = dice.pick([0, 0, 1, 5, 100, 3000, way === 'i' ? 3000 : 90_000])
    const target = `/${way}${index}`
    const body = String.fromCharCode(97 + (index % 26)).repeat(size)
    const isChunked = size > 0 && dice.roll(2) === 0
    expected.push(way === 'i' ? '' : body)
    text += `POST ${target} HTTP/1.1\r\nHost: a\r\n`
    if (!isChunked) text += `Content-Length: ${size}\r\n\r\n${body}`
    else {
      text += 'Transfer-Encoding: chunked\r\n\r\n'
      for (let at = 0; at < size; ) {
        const piece = body.slice(at, at + 1 + dice.roll(size))
        text += `${piece.length.toString(16)}\r\n${piece}\r\n`
        at += piece.length
      }
      text += '0\r\n\r\n'
    }
  }
  return [text, expected]
}

for (let run = 0; run < 60; run += 1) {
  const seed = fuzzSeed * 1000 + run
  test(`requests in a row are answered in order, whole, seed ${seed}`, async () => {
    const world = new World(seed)
    const [near, far] = world.pair()
    const settings = httpSettings({ wheel, memoryBodyBytes: 1_000_000 })
    const road = new TestRoad(gateway(world))
    http1.serve(far, { head: new Uint8Array(0), hello: undefined }, road, settings, 'gateway')
    const reader = answerReader('POST')
    near.open({
      bytes: (_link, bytes) => reader.push(bytes),
      ended: () => undefined,
      drained: () => undefined,
      closed: () => undefined,
    })
    const [text, expected] = requests(world.dice, 1 + world.dice.roll(12))
    near.send(Buffer.from(text, 'latin1'))
    await world.run()
    const answers = reader.messages.map(({ body }) => shown(body.toString('latin1')))
    assert.deepEqual(answers, expected.map(shown))
    assert.deepEqual(
      road.journeys.map(({ sents }) => sents),
      Array(expected.length).fill(1),
    )
    assert.equal(reader.held, 0)
  })
}

for (let run = 0; run < 60; run += 1) {
  const seed = fuzzSeed * 1000 + 500 + run
  test(`whoever breaks off, every exchange ends once and every connection, seed ${seed}`, async () => {
    const world = new World(seed)
    const [near, far] = world.pair()
    const settings = httpSettings({ wheel, memoryBodyBytes: 1_000_000 })
    const forwards: Forward[] = []
    const road = new TestRoad(gateway(world, forwards))
    http1.serve(far, { head: new Uint8Array(0), hello: undefined }, road, settings, 'gateway')
    near.open({ bytes: () => undefined, ended: () => near.close(), drained: () => undefined, closed: () => undefined })
    const [text] = requests(world.dice, 1 + world.dice.roll(12))
    near.send(Buffer.from(text.slice(0, 1 + world.dice.roll(text.length)), 'latin1'))
    const patience = world.dice.roll(8)
    await world.run(patience)
    const victim = world.dice.pick(world.links)
    if (world.dice.roll(2) === 0) victim.reset()
    else victim.end()
    await world.run()
    near.close()
    await world.run()
    for (const { sents, gones, exchange } of road.journeys) {
      const wasCut = far.isReset && gones.length + sents === 0
      assert.equal(sents + gones.length + (wasCut ? 1 : 0), 1, exchange.request.target)
    }
    assert.equal(settings.connections.size, 0)
    for (const { error, isWhole } of forwards) assert.ok(!isWhole || error === undefined)
  })
}
