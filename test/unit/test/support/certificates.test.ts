import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { makeCa, makeCertificate } from '../../../support/certificates.ts'

for (const caType of ['rsa', 'ec'] as const) {
  for (const type of ['rsa', 'ec'] as const) {
    test(`a ${type} certificate of an ${caType} authority below an intermediate is accepted by a verifying client`, async () => {
      const root = makeCa({ type: caType })
      const middle = makeCa({ ca: root, type })
      const names = ['example.test', '*.wild.test', '127.0.0.1', '::1']
      const pair = makeCertificate({ ca: middle, names, type })
      assert.equal(
        new X509Certificate(pair.cert).subjectAltName,
        'DNS:example.test, DNS:*.wild.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      )
      const server = createServer({ cert: pair.cert, key: pair.key }, (socket) => socket.end('ok'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as { port: number }
      const client = connect({ port, host: '127.0.0.1', servername: 'a.wild.test', ca: root.cert })
      await new Promise<void>((resolve, reject) => client.once('secureConnect', resolve).once('error', reject))
      assert.equal((client as TLSSocket).authorized, true)
      client.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
  }
}
