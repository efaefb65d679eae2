import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { type BodyOrigin, Http1RequestBody } from '../../../../protocols/http1/request-body.ts'
import { GatewayError } from '../../../../src/errors.ts'
import type { HeaderList } from '../../../../src/exchange/header-list.ts'
import type { BodyReceiver } from '../../../../src/exchange/http-exchange.ts'
import { until } from '../../../support/until.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-bodies-'))
after(async () => {
  // A file of a body that nobody waits for any more may just be being made.
  await until(() => !readdirSync(folder).some((name) => name.startsWith('body-')), { what: 'the end of all files' })
  rmSync(folder, { recursive: true })
})

class Origin implements BodyOrigin {
  readonly maxBodyBytes = 0
  readonly memoryBodyBytes = 1000
  spillFolder = folder
  flows = 0
  holds = 0
  flowing = false
  /** Delivered as soon as it flows. */
  ready: string | undefined

  flow(body: Http1RequestBody): void {
    this.flows += 1
    this.flowing = true
    const { ready } = this
    this.ready = undefined
    if (ready !== undefined) whole(body, ready)
  }
  hold(): void {
    this.holds += 1
    this.flowing = false
  }
}

function whole(body: Http1RequestBody, text: string): void {
  body.arrived(Buffer.from(text))
  body.finished(undefined)
}

class Taker implements BodyReceiver {
  text = ''
  size = 0
  ends = 0
  error: GatewayError | undefined
  onPart: (() => void) | undefined
  part(bytes: Uint8Array): void {
    this.size += bytes.length
    if (this.size < 100_000) this.text += Buffer.from(bytes).toString()
    this.onPart?.()
  }
  ended(_trailers: HeaderList | undefined): void {
    this.ends += 1
  }
  failed(error: GatewayError): void {
    this.error = error
  }
  flush(): void {}
}

const codeOf = (code: string) => (error: unknown) => error instanceof GatewayError && error.code === code

test('nothing flows before the body is opened, and it can be opened once', () => {
  const origin = new Origin()
  const body = new Http1RequestBody(origin, 5)
  assert.deepEqual([origin.flows, body.replayable, body.complete], [0, false, false])
  const [first, second] = [new Taker(), new Taker()]
  body.open(first)
  whole(body, 'hello')
  assert.deepEqual([first.text, first.ends, body.complete], ['hello', 1, true])
  body.open(second)
  assert.equal(second.error?.code, 'internal')
})

test('no body ends at once, as often as it is asked for', async () => {
  const origin = new Origin()
  const body = new Http1RequestBody(origin, 0)
  const taker = new Taker()
  body.open(taker)
  body.open(taker)
  assert.deepEqual([taker.ends, origin.flows, body.complete, body.replayable], [2, 0, true, true])
  assert.equal((await body.collect(0)).size, 0)
})

test('a collected body is the same for all who ask, and can be sent again', async () => {
  const origin = new Origin()
  const body = new Http1RequestBody(origin, undefined)
  const asked = [body.collect(100), body.collect(100)]
  body.arrived(Buffer.from('hel'))
  whole(body, 'lo')
  const [one, two] = await Promise.all(asked)
  assert.equal(one, two)
  assert.equal(Buffer.from((await one?.bytes()) as Uint8Array).toString(), 'hello')
  for (let round = 0; round < 2; round += 1) {
    const taker = new Taker()
    body.open(taker)
    assert.deepEqual([taker.text, taker.ends], ['hello', 1])
  }
  assert.equal(origin.flows, 1)
})

test('a body that is there whole is collected', async () => {
  const origin = new Origin()
  origin.ready = 'hello'
  const body = new Http1RequestBody(origin, 5)
  assert.equal((await body.collect(100)).size, 5)
  assert.equal(body.replayable, true)
})

test('a body above what is asked for is refused: at once if it is announced, else when it comes', async () => {
  const announced = new Http1RequestBody(new Origin(), 11)
  await assert.rejects(async () => announced.collect(10), codeOf('body_too_large'))
  const origin = new Origin()
  const growing = new Http1RequestBody(origin, undefined)
  const collected = growing.collect(10)
  growing.arrived(Buffer.from('0123456789x'))
  await assert.rejects(async () => collected, codeOf('body_too_large'))
  assert.equal(origin.flowing, false)
})

test('a body that breaks off fails for whoever collects it, and whoever opens it later', async () => {
  const body = new Http1RequestBody(new Origin(), 10)
  const collected = body.collect(100)
  body.broke(new GatewayError('client_gone'))
  await assert.rejects(async () => collected, codeOf('client_gone'))
  const other = new Http1RequestBody(new Origin(), 10)
  other.broke(new GatewayError('body_too_large'))
  const taker = new Taker()
  other.open(taker)
  assert.equal(taker.error?.code, 'body_too_large')
})

test('a replaced body goes instead, with its own length', () => {
  const body = new Http1RequestBody(new Origin(), 10)
  body.replace(Buffer.from('new'))
  assert.deepEqual([body.length, body.replayable], [3, true])
  const taker = new Taker()
  body.open(taker)
  assert.deepEqual([taker.text, taker.ends], ['new', 1])
})

test('a replaced body of nothing ends at once', () => {
  const body = new Http1RequestBody(new Origin(), 10)
  body.replace(new Uint8Array(0))
  const taker = new Taker()
  body.open(taker)
  assert.deepEqual([taker.size, taker.ends, body.length], [0, 1, 0])
})

test('a large body lies in a file that has no name, is read back, replayed and released', async () => {
  const origin = new Origin()
  const body = new Http1RequestBody(origin, undefined)
  const collecting = body.collect(10_000_000)
  const part = Buffer.alloc(100_000, 'abcdefghij')
  for (let round = 0; round < 20; round += 1) {
    await until(() => origin.flowing, { what: 'the file to take more' })
    body.arrived(part)
  }
  assert.ok(origin.holds > 0)
  body.finished(undefined)
  const collected = await collecting
  assert.deepEqual([collected.size, readdirSync(folder)], [2_000_000, []])
  assert.ok(Buffer.from(await collected.bytes()).equals(Buffer.concat(Array(20).fill(part))))
  const taker = new Taker()
  body.open(taker)
  await until(() => taker.ends === 1, { what: 'the replay' })
  assert.equal(taker.size, 2_000_000)
  body.release()
  await assert.rejects(async () => collected.bytes(), codeOf('internal'))
})

test('a replay stops while it is paused, and a later one takes its place', async () => {
  const body = new Http1RequestBody(new Origin(), undefined)
  const collecting = body.collect(10_000_000)
  body.arrived(Buffer.alloc(200_000, 'x'))
  body.finished(undefined)
  await collecting
  const paused = new Taker()
  paused.onPart = () => body.pause()
  body.open(paused)
  await until(() => paused.size > 0, { what: 'the first piece' })
  const size = paused.size
  const full = new Taker()
  body.open(full)
  await until(() => full.ends === 1, { what: 'the second replay' })
  assert.deepEqual([paused.size, paused.ends, full.size], [size, 0, 200_000])
  paused.onPart = undefined
  const again = new Taker()
  again.onPart = () => {
    body.pause()
    setImmediate(() => body.resume())
  }
  body.open(again)
  await until(() => again.ends === 1, { what: 'the replay that was paused' })
  assert.equal(again.size, 200_000)
  body.release()
})

test('a folder that is not there is made, one that cannot be written to fails the body', async () => {
  const origin = new Origin()
  origin.spillFolder = path.join(folder, 'not', 'there')
  const made = new Http1RequestBody(origin, undefined)
  const collecting = made.collect(10_000_000)
  made.arrived(Buffer.alloc(5000))
  made.finished(undefined)
  assert.equal((await collecting).size, 5000)
  made.release()
  writeFileSync(path.join(folder, 'file'), '')
  origin.spillFolder = path.join(folder, 'file')
  const failing = new Http1RequestBody(origin, undefined)
  const failed = failing.collect(10_000_000)
  failing.arrived(Buffer.alloc(5000))
  await assert.rejects(async () => failed, /cannot write a request body in .*file: ENOTDIR/)
  assert.equal(origin.flowing, false)
})

test('an exchange that is over ends what still waits for its body', async () => {
  const body = new Http1RequestBody(new Origin(), undefined)
  const collecting = body.collect(10_000_000)
  body.arrived(Buffer.alloc(5000))
  body.release()
  await assert.rejects(async () => collecting, codeOf('client_gone'))
})
