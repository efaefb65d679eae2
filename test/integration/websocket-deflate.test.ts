/** permessage-deflate through the gateway [RFC 7692]: negotiated from end to end, and compressed frames stay as they are. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { type PerMessageDeflateOptions, type RawData, WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { HttpClient } from '../support/http-client.ts'
import { type Frame, framesOf, opcodes } from '../support/websocket-frames.ts'

/** What a client offers and a server answers, as text: neither is the gateway's business. */
const negotiations = [
  { offer: 'permessage-deflate', answer: 'permessage-deflate' },
  {
    offer: 'permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate',
    answer: 'permessage-deflate; server_max_window_bits=10; client_max_window_bits=12',
  },
  {
    offer: 'x-unheard-of; a="quoted, text";b , permessage-deflate;client_no_context_takeover',
    answer: 'x-unheard-of;a',
  },
  { offer: 'permessage-deflate', answer: undefined },
] as const

/** With these both ends of `ws` agree on what the server then tells. */
const agreements: readonly { readonly options: PerMessageDeflateOptions; readonly answer: string }[] = [
  { options: {}, answer: 'permessage-deflate' },
  {
    options: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    answer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  },
  {
    options: { serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
    answer: 'permessage-deflate; server_max_window_bits=9; client_max_window_bits=10',
  },
]

const rsv1 = 4

describe('permessage-deflate through the gateway', { timeout: 60_000 }, () => {
  let gateway: TestGateway
  const http = createServer()
  let take: (request: IncomingMessage, socket: Duplex, head: Buffer) => void

  before(async () => {
    http.on('upgrade', (request, socket, head) => take(request, socket, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const node = `127.0.0.1:${(http.address() as AddressInfo).port}`
    const route = { uri: '/*', enable_websocket: true, upstream: { nodes: { [node]: 1 } } }
    gateway = await startTestGateway({ resources: { '/routes/ws': route } })
  })
  after(async () => {
    await gateway?.stop()
    await new Promise((resolve) => http.close(resolve))
  })

  for (const { offer, answer } of negotiations) {
    test(`the offer '${offer}' and the answer '${answer ?? 'none'}' pass as they are`, async () => {
      const seen: (string | undefined)[] = []
      take = ({ headers }, socket) => {
        const { 'sec-websocket-extensions': extensions, 'sec-websocket-protocol': protocol } = headers
        seen.push(extensions, protocol, headers['sec-websocket-key'], headers['sec-websocket-version'])
        const told = answer === undefined ? '' : `Sec-WebSocket-Extensions: ${answer}\r\n`
        const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
        socket.end(
          `${head}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: b\r\n${told}\r\n`,
        )
      }
      using client = await HttpClient.connect(gateway.port('http'))
      const head = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n'
      const key = 'dGhlIHNhbXBsZSBub25jZQ=='
      client.send(`${head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`)
      client.send(`Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: ${offer}\r\n\r\n`)
      const lines = (await client.rest()).split('\r\n')
      assert.deepEqual(seen, [offer, 'a, b', key, '13'])
      assert.equal(lines[0], 'HTTP/1.1 101 Switching Protocols')
      const field = (name: string): string | undefined =>
        lines.find((line) => line.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2)
      assert.equal(field('sec-websocket-extensions'), answer)
      assert.equal(field('sec-websocket-protocol'), 'b')
      assert.equal(field('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    })
  }

  for (const { options, answer } of agreements) {
    test(`messages compressed under '${answer}' come back, and go compressed each way`, async () => {
      const both = { threshold: 0, ...options }
      const server = new WebSocketServer({ noServer: true, perMessageDeflate: both })
      const [up, down]: [Buffer[], Buffer[]] = [[], []]
      take = (request, socket, head) => {
        server.handleUpgrade(request, socket, head, (peer) => {
          // Before `ws`, which takes masks off where the bytes lie.
          socket.prependListener('data', (part: Buffer) => up.push(Buffer.from(part)))
          peer.on('message', (data: RawData, isBinary) => peer.send(data, { binary: isBinary }))
        })
      }
      const client = new WebSocket(`ws://127.0.0.1:${gateway.port('http')}/`, { perMessageDeflate: both })
      let told: string | undefined
      client.once('upgrade', ({ headers, socket }) => {
        told = headers['sec-websocket-extensions']
        client.once('open', () => socket.prependListener('data', (part: Buffer) => down.push(Buffer.from(part))))
      })
      await once(client, 'open')
      assert.equal(told, answer)
      const sizes = [1, 125, 126, 65_535, 65_536, 1_048_576]
      for (const size of sizes) {
        const sent = Buffer.alloc(size, 'all work and no play makes a dull message; ')
        client.send(sent)
        const [got] = (await once(client, 'message')) as [Buffer]
        assert.ok(got.equals(sent), `${size} bytes`)
      }
      client.send('in ', { fin: false })
      client.send('pieces')
      assert.equal(String(((await once(client, 'message')) as [Buffer])[0]), 'in pieces')
      client.close(1000, 'done')
      assert.equal(((await once(client, 'close')) as [number])[0], 1000)

      const compressed = (parts: readonly Buffer[]): readonly Frame[] =>
        framesOf(Buffer.concat(parts)).filter(({ rsv }) => rsv === rsv1)
      // In a message of fragments the first one carries the bit.
      assert.equal(compressed(up).length, sizes.length + 1)
      assert.equal(compressed(down).length, sizes.length + 1)
      for (const parts of [up, down]) {
        const bytes = Buffer.concat(parts).length
        assert.ok(bytes < 65_536, `${bytes} bytes for more than a megabyte`)
        assert.equal(framesOf(Buffer.concat(parts)).at(-1)?.opcode, opcodes.close)
      }
    })
  }
})
