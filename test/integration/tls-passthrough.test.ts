/** TLS passed through unread: the ClientHello is looked at, and then client and server speak to each other. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createServer, type Server } from 'node:tls'
import { TimerWheel } from '../../src/base/timers.ts'
import { type RelayOutcome, relay } from '../../src/net/relay.ts'
import { type HelloResult, readHello } from '../../src/net/tls/hello-reader.ts'
import type { Listener } from '../../src/net/wire.ts'
import { type CertificateAuthority, makeCa, makeCertificate } from '../support/certificates.ts'
import { createTestWire } from '../support/test-wire.ts'
import { readAll, tlsConnect } from '../support/tls-client.ts'
import { until } from '../support/until.ts'

const wheel = new TimerWheel({ tickMs: 20, unref: true })
let ca: CertificateAuthority
let server: Server
let listener: Listener
const hellos: HelloResult[] = []
const outcomes: RelayOutcome[] = []

before(async () => {
  ca = makeCa()
  server = createServer({ ...makeCertificate({ ca, names: ['db.test'] }), allowHalfOpen: true } as object, (socket) => {
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const wire = createTestWire({ wheel })
  const options = { host: '127.0.0.1', port: 0, reusePort: false, backlog: 16, keepAliveMs: 0 }
  listener = await wire.listen(
    options,
    (downstream) => {
      readHello(downstream, { timeoutMs: 2_000, maxBytes: 65_536, wheel }, (result) => {
        hellos.push(result)
        const target = {
          carrier: 'stream',
          host: '127.0.0.1',
          port,
          timeoutMs: 2_000,
          keepAliveMs: 0,
          tls: undefined,
        } as const
        wire.dial(target, {
          connected: (upstream) => {
            const { head } = result
            relay(downstream, upstream, { idleMs: 0, lingerMs: 0, wheel, head }, (outcome) => outcomes.push(outcome))
          },
          failed: (error) => assert.fail(error),
        })
      })
    },
    (error) => assert.fail(error),
  )
})

after(async () => {
  await listener.close()
  await new Promise((resolve) => server.close(resolve))
})

test('client and server verify each other across the relay, and 4 MB arrive unchanged', async () => {
  const client = await tlsConnect(listener.port, { servername: 'db.test', ca: ca.cert, rejectUnauthorized: true })
  assert.equal(hellos[0]?.hello?.serverName, 'db.test')
  const sent = randomBytes(4 * 1024 * 1024)
  const got = readAll(client)
  client.end(sent)
  assert.equal(
    createHash('sha256')
      .update(await got)
      .digest('hex'),
    createHash('sha256').update(sent).digest('hex'),
  )
  await until(() => outcomes.length > 0, { what: 'the end of the relay' })
  assert.equal(outcomes[0]?.reason, 'ended')
})
