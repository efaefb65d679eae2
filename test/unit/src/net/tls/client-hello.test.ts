import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { before, test } from 'node:test'
import { connect } from 'node:tls'
import { alert, alerts } from '../../../../../src/net/tls/alert.ts'
import { type HelloReading, maxHelloBytes, readClientHello } from '../../../../../src/net/tls/client-hello.ts'
import { captureHello, inRecords } from '../../../../support/hellos.ts'

const needsOpenssl = spawnSync('openssl', ['version']).error === undefined ? false : 'needs openssl'

async function nodeHello(options: object): Promise<Buffer> {
  return captureHello((port) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    socket.on('error', () => {})
    return new Promise((resolve) => socket.once('close', resolve))
  })
}

async function opensslHello(args: readonly string[]): Promise<Buffer> {
  return captureHello((port) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], { stdio: 'ignore' })
    return once(child, 'exit')
  })
}

let sample: Buffer

before(async () => {
  sample = await nodeHello({ servername: 'Db.Example.TEST', ALPNProtocols: ['h2', 'mqtt'] })
})

function helloIn(bytes: Uint8Array) {
  const reading = readClientHello(bytes)
  assert.equal(reading.state, 'hello', JSON.stringify(reading))
  return (reading as Extract<HelloReading, { state: 'hello' }>).hello
}

test('a ClientHello of node:tls gives its name in lower case, its protocols and its versions', () => {
  const hello = helloIn(sample)
  assert.equal(hello.serverName, 'db.example.test')
  assert.deepEqual(hello.alpn, ['h2', 'mqtt'])
  assert.deepEqual(hello.versions, [0x0304, 0x0303])
})

test('a ClientHello without a name or protocols says so', async () => {
  const hello = helloIn(await nodeHello({ maxVersion: 'TLSv1.2' }))
  assert.equal(hello.serverName, undefined)
  assert.deepEqual(hello.alpn, [])
  assert.deepEqual(hello.versions, [0x0303])
})

test('a ClientHello of openssl s_client is read', { skip: needsOpenssl }, async () => {
  const modern = helloIn(await opensslHello(['-servername', 'a.test', '-alpn', 'postgresql']))
  assert.equal(modern.serverName, 'a.test')
  assert.deepEqual(modern.alpn, ['postgresql'])
  const old = helloIn(await opensslHello(['-servername', 'b.test', '-tls1_2']))
  assert.equal(old.serverName, 'b.test')
  assert.equal(old.versions[0], 0x0303)
})

test('a ClientHello cut at any byte wants more, and never more than it has', () => {
  for (let length = 0; length < sample.length; length += 1) {
    const reading = readClientHello(sample.subarray(0, length))
    assert.equal(reading.state, 'more', `after ${length} bytes`)
    if (reading.state !== 'more') continue
    assert.ok(reading.atLeast > length && reading.atLeast <= sample.length, `${reading.atLeast} after ${length}`)
  }
  assert.equal(readClientHello(sample).state, 'hello')
})

test('a ClientHello cut into records of any size is the same, and so is one with bytes behind it', () => {
  const whole = readClientHello(sample)
  for (const size of [1, 2, 3, 4, 5, 17, 100, 255, sample.length]) {
    const cut = inRecords(sample, size)
    assert.deepEqual(readClientHello(cut), whole)
    for (let length = 0; length < cut.length; length += 1) {
      assert.equal(readClientHello(cut.subarray(0, length)).state, 'more', `records of ${size}, ${length} bytes`)
    }
  }
  assert.deepEqual(readClientHello(Buffer.concat([sample, Buffer.from([0x17, 3, 3, 0, 1, 0])])), whole)
})

test('what is returned does not change when the bytes are overwritten', () => {
  const bytes = Buffer.from(sample)
  const hello = helloIn(bytes)
  bytes.fill(0)
  assert.equal(hello.serverName, 'db.example.test')
  assert.deepEqual(hello.alpn, ['h2', 'mqtt'])
})

test('dripping in tiny records costs few readings', () => {
  const cut = inRecords(helloOf({ padding: 16_000 }), 1)
  assert.ok(cut.length > maxHelloBytes, 'longer than allowed')
  const fits = inRecords(helloOf({ padding: 9_000 }), 1)
  let readings = 0
  let wanted = 1
  for (let length = 0; length <= fits.length; length += 1) {
    if (length < wanted) continue
    const reading = readClientHello(fits.subarray(0, length))
    readings += 1
    if (reading.state === 'more') wanted = reading.atLeast
    else assert.equal(reading.state, 'hello')
  }
  assert.ok(readings < 100, `${readings} readings`)
})

test('other protocols are told apart by their first byte', () => {
  for (const text of [
    'GET / HTTP/1.1\r\n',
    '\x10\x0c\x00\x04MQTT',
    '\x00\x00\x00\x08',
    '\x17\x03\x03',
    'SSH-2.0-x\r\n',
  ]) {
    assert.equal(readClientHello(Buffer.from(text, 'latin1')).state, 'not-tls', JSON.stringify(text))
  }
  assert.equal(readClientHello(Buffer.from([0x16, 0x04])).state, 'not-tls')
  assert.equal(readClientHello(Buffer.from([0x16, 3, 1, 0, 0])).state, 'not-tls')
  // A handshake record that does not begin with a ClientHello
  assert.equal(readClientHello(Buffer.from([0x16, 3, 1, 0, 4, 2, 0, 0, 0])).state, 'not-tls')
})

interface Parts {
  name?: string
  nameType?: number
  extra?: Buffer
  padding?: number
  alpn?: readonly string[]
  twice?: boolean
}

const u8 = (value: number): Buffer => Buffer.from([value])
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
const sized = (body: Buffer): Buffer => Buffer.concat([u16(body.length), body])
const extension = (type: number, body: Buffer): Buffer => Buffer.concat([u16(type), sized(body)])

/** A ClientHello by hand, for what clients do not send. */
function helloOf({ name, nameType = 0, extra, padding = 0, alpn, twice = false }: Parts): Buffer {
  const extensions: Buffer[] = []
  if (name !== undefined) {
    const entry = Buffer.concat([u8(nameType), sized(Buffer.from(name, 'latin1'))])
    const list = extension(0, sized(entry))
    extensions.push(list)
    if (twice) extensions.push(list)
  }
  if (alpn !== undefined) {
    extensions.push(
      extension(16, sized(Buffer.concat(alpn.map((token) => Buffer.concat([u8(token.length), Buffer.from(token)]))))),
    )
  }
  if (padding > 0) extensions.push(extension(21, Buffer.alloc(padding)))
  if (extra !== undefined) extensions.push(extra)
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32, 7),
    u8(0),
    sized(Buffer.from([0x13, 0x01])),
    Buffer.from([1, 0]),
    sized(Buffer.concat(extensions)),
  ])
  const message = Buffer.concat([
    Buffer.from([1, body.length >> 16, (body.length >> 8) & 0xff, body.length & 0xff]),
    body,
  ])
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += 16_384) {
    records.push(Buffer.from([0x16, 3, 1]), sized(message.subarray(at, at + 16_384)))
  }
  return Buffer.concat(records)
}

function badIn(bytes: Buffer): Extract<HelloReading, { state: 'bad' }> {
  const reading = readClientHello(bytes)
  assert.equal(reading.state, 'bad', JSON.stringify(reading))
  return reading as Extract<HelloReading, { state: 'bad' }>
}

test('names are cleaned of case and of one trailing dot, and refused when no DNS name', () => {
  assert.equal(helloIn(helloOf({ name: 'A.Test.' })).serverName, 'a.test')
  assert.equal(helloIn(helloOf({ name: '_sip._tcp.xn--bcher-kva.test' })).serverName, '_sip._tcp.xn--bcher-kva.test')
  assert.equal(helloIn(helloOf({ name: '10.0.0.1' })).serverName, '10.0.0.1')
  for (const name of [
    '',
    '.',
    'a..b',
    '.a',
    'a b',
    'a\0b',
    'b\xfccher.test',
    `${'x'.repeat(64)}.test`,
    'a/b',
    '*.a.test',
    '-a',
  ]) {
    assert.equal(badIn(helloOf({ name })).alert, alerts.unrecognizedName, JSON.stringify(name))
  }
  assert.equal(badIn(helloOf({ name: `${'a.'.repeat(130)}test` })).alert, alerts.unrecognizedName)
})

test('malformed extensions are refused with the alert that RFC 8446 names', () => {
  assert.equal(badIn(helloOf({ name: 'a.test', twice: true })).alert, alerts.illegalParameter)
  assert.equal(badIn(helloOf({ extra: Buffer.from([0, 0, 0, 9, 0]) })).alert, alerts.decodeError)
  assert.equal(badIn(helloOf({ extra: extension(0, Buffer.from([0, 0])) })).alert, alerts.decodeError)
  assert.equal(badIn(helloOf({ alpn: ['h2', ''] })).alert, alerts.decodeError)
  assert.equal(badIn(helloOf({ extra: extension(43, Buffer.from([3, 3, 4, 3])) })).alert, alerts.decodeError)
  // A name of an undefined type is passed over.
  assert.equal(helloIn(helloOf({ name: 'a.test', nameType: 9 })).serverName, undefined)
})

test('GREASE is left out of the versions', () => {
  const versions = extension(43, Buffer.from([6, 0x3a, 0x3a, 3, 4, 3, 3]))
  assert.deepEqual(helloIn(helloOf({ extra: versions })).versions, [0x0304, 0x0303])
})

test('no more than 64 KiB are ever waited for', () => {
  const long = helloOf({ padding: 65_500 })
  assert.equal(badIn(long.subarray(0, 400)).alert, alerts.decodeError)
  const fits = helloOf({ padding: 60_000 })
  assert.equal(readClientHello(fits).state, 'hello')
  const endless = inRecords(fits, 2)
  assert.equal(badIn(endless).alert, alerts.decodeError)
})

test('a record of another type or version inside the ClientHello is refused', () => {
  const cut = inRecords(sample, 50)
  for (const [offset, value, alertOf] of [
    [55, 0x17, alerts.unexpectedMessage],
    [56, 2, alerts.decodeError],
  ] as const) {
    const broken = Buffer.from(cut)
    broken[offset] = value
    assert.equal(badIn(broken).alert, alertOf)
  }
})

/** mulberry32: small, seeded, good enough to break parsers with. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

test('random and mutated bytes end in one of the states and are never read out of bounds', () => {
  const next = random(20_260_101)
  const states = new Set<string>()
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Buffer.from(round % 2 === 0 ? sample : inRecords(sample, 1 + Math.floor(next() * 90)))
    const changes = 1 + Math.floor(next() * 8)
    for (let change = 0; change < changes; change += 1) {
      bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
    }
    const length = Math.floor(next() * (bytes.length + 1))
    // The same head with and without bytes behind it in memory: reading past the end would make a difference.
    const view = bytes.subarray(0, length)
    const reading = readClientHello(view)
    assert.deepEqual(readClientHello(Uint8Array.from(view)), reading)
    states.add(reading.state)
  }
  for (let round = 0; round < 5_000; round += 1) {
    const bytes = Buffer.from(Array.from({ length: Math.floor(next() * 300) }, () => Math.floor(next() * 256)))
    if (bytes.length > 5 && next() < 0.8) Buffer.from([0x16, 3, 1, 0]).copy(bytes)
    if (bytes.length > 9 && next() < 0.8) Buffer.from([1, 0, 0]).copy(bytes, 5)
    states.add(readClientHello(bytes).state)
  }
  assert.deepEqual([...states].sort(), ['bad', 'hello', 'more', 'not-tls'])
})

test('an alert is one fatal record', () => {
  assert.deepEqual([...alert(alerts.unrecognizedName)], [0x15, 3, 3, 0, 2, 2, 112])
})
