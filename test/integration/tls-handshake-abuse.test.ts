/** What clients do wrong before they are through: slow, cut, garbage, gone. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { type CertificatePair, makeCa, makeCertificate } from '../support/certificates.ts'
import { captureHello, inRecords } from '../support/hellos.ts'
import { tlsConnect } from '../support/tls-client.ts'
import { TlsListener, type TlsListenerOptions } from '../support/tls-listener.ts'
import { until } from '../support/until.ts'

let pair: CertificatePair
let hello: Buffer

before(async () => {
  pair = makeCertificate({ ca: makeCa(), names: ['a.test'] })
  hello = await captureHello((port) => tlsConnect(port, { servername: 'a.test' }).catch(() => {}))
})

const stops: (() => Promise<void>)[] = []
after(async () => {
  for (const stop of stops) await stop()
})

async function serving(options: TlsListenerOptions = {}): Promise<TlsListener> {
  const listening = new TlsListener(options)
  listening.set({ id: '1', snis: ['a.test'], pairs: [pair] })
  await listening.start()
  stops.push(() => listening.stop())
  return listening
}

async function raw(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Resolves with what came until the other side was done. */
function answer(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
    socket.once('close', () => resolve(Buffer.concat(chunks)))
    socket.once('end', () => {
      resolve(Buffer.concat(chunks))
      socket.destroy()
    })
  })
}

/** The first bytes of a ServerHello. */
async function isAnswered(socket: Socket): Promise<void> {
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  assert.deepEqual([bytes[0], bytes[5]], [0x16, 2])
  socket.destroy()
}

/** Lets the other side read what was sent so far before more is sent. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a ClientHello that is cut in two at any byte is answered', async () => {
  const listening = await serving()
  for (let cut = 1; cut < hello.length; cut += 1) {
    const socket = await raw(listening.port)
    socket.write(hello.subarray(0, cut))
    await turn()
    socket.write(hello.subarray(cut))
    await isAnswered(socket)
  }
  assert.deepEqual(new Set(listening.errors.map((error) => error.code)), new Set(['client_gone']))
})

test('a ClientHello in many records and in many segments is answered', async () => {
  const listening = await serving()
  for (const size of [60, 300]) {
    const records = inRecords(hello, size)
    const socket = await raw(listening.port)
    for (let at = 0; at < records.length; at += 100) {
      socket.write(records.subarray(at, at + 100))
      await turn()
    }
    await isAnswered(socket)
  }
})

test('a client that drips is closed when its time is over, however steadily it drips', async () => {
  const listening = await serving({ timeoutMs: 300 })
  const socket = await raw(listening.port)
  // However it is closed: a drip that meets a closed socket is answered by a reset.
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const began = performance.now()
  let at = 0
  const drip = setInterval(() => socket.write(hello.subarray(at, ++at)), 20)
  socket.resume()
  socket.once('end', () => socket.destroy())
  await closed
  clearInterval(drip)
  assert.ok(performance.now() - began < 3_000)
  assert.ok(at > 3)
  assert.deepEqual(
    listening.errors.map((error) => error.code),
    ['client_timeout'],
  )
})

test('a client that stops after its ClientHello is closed when its time is over', async () => {
  const listening = await serving({ timeoutMs: 300 })
  const socket = await raw(listening.port)
  socket.write(hello)
  assert.equal((await answer(socket))[0], 0x16)
  await until(() => listening.errors.length > 0, { what: 'the failure' })
  assert.equal(listening.errors[0]?.code, 'client_timeout')
  assert.match(listening.errors[0]?.message ?? '', /300 ms/)
})

test('a client that says nothing at all is closed when its time is over', async () => {
  const listening = await serving({ timeoutMs: 200 })
  const socket = await raw(listening.port)
  assert.equal((await answer(socket)).length, 0)
  assert.deepEqual(
    listening.errors.map((error) => error.code),
    ['client_timeout'],
  )
})

test('plain bytes on a TLS listener are bad_tls', async () => {
  const listening = await serving()
  const socket = await raw(listening.port)
  socket.write('GET / HTTP/1.1\r\n\r\n')
  await answer(socket)
  assert.deepEqual(
    listening.errors.map((error) => error.code),
    ['bad_tls'],
  )
})

test('a malformed ClientHello is refused with an alert', async () => {
  const listening = await serving()
  const broken = Buffer.from(hello)
  // The length of the session id, so that nothing after it fits.
  broken[5 + 4 + 34] = 255
  const socket = await raw(listening.port)
  socket.write(broken)
  const bytes = await answer(socket)
  assert.deepEqual([bytes[0], bytes[5], bytes[6]], [0x15, 2, 50])
  assert.equal(listening.errors[0]?.code, 'bad_tls')
})

test('garbage after a good ClientHello is bad_tls with the reason of OpenSSL', async () => {
  const listening = await serving()
  const socket = await raw(listening.port)
  socket.write(Buffer.concat([hello, Buffer.from([0x16, 3, 3, 0, 4, 20, 0, 0, 0])]))
  await answer(socket)
  await until(() => listening.errors.length > 0, { what: 'the failure' })
  assert.equal(listening.errors[0]?.code, 'bad_tls')
  assert.match(listening.errors[0]?.message ?? '', /\w+ \w+/)
})

test('a ClientHello that OpenSSL cannot serve is bad_tls with its reason', async () => {
  const listening = await serving()
  const options = { servername: 'a.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } as const
  await assert.rejects(tlsConnect(listening.port, options))
  await until(() => listening.errors.length > 0, { what: 'the failure' })
  assert.deepEqual([listening.errors[0]?.code, listening.errors[0]?.message], ['bad_tls', 'no shared cipher'])
})

test('a client that ends, closes or resets in the middle is client_gone, once', async () => {
  for (const [name, leave] of [
    ['ends', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ] as const) {
    for (const sent of [hello.subarray(0, 50), hello]) {
      const listening = await serving()
      const socket = await raw(listening.port)
      socket.write(sent)
      if (sent === hello) await once(socket, 'data')
      leave(socket)
      await until(() => listening.errors.length > 0, { what: `the failure of a client that ${name}` })
      socket.destroy()
      await turn()
      assert.deepEqual(
        listening.errors.map((error) => error.code),
        ['client_gone'],
      )
    }
  }
})

test('a client may not renegotiate', async () => {
  const listening = await serving()
  const client = await tlsConnect(listening.port, { servername: 'a.test', maxVersion: 'TLSv1.2' })
  const outcome = new Promise<Error | null>((resolve) => {
    client.once('error', resolve)
    client.renegotiate({}, resolve)
  })
  assert.match(String(await outcome), /no renegotiation/)
  client.destroy()
})

test('giving up a handshake closes the connection and calls nobody', async () => {
  const listening = await serving()
  const calls: string[] = []
  const listener = await listening.wire.listen(
    { host: '127.0.0.1', port: 0, reusePort: false, backlog: 16, keepAliveMs: 0 },
    (link) => {
      const certificate = listening.table.find('a.test')
      assert.ok(certificate)
      const giveUp = listening.wire.terminate(link, new Uint8Array(0), certificate.termination(1_000), {
        connected: () => void calls.push('connected'),
        failed: (error) => void calls.push(error.code),
      })
      giveUp()
    },
    () => {},
  )
  const socket = await raw(listener.port)
  socket.write(hello)
  await answer(socket)
  await turn()
  assert.deepEqual(calls, [])
  await listener.close()
})
