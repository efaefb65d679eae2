/**
 * Requests that want to be taken for others, through a whole gateway: whatever is sent, the endpoint sees each request that
 * may be passed on once and no other, and connections to it stay in step.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { requestReader } from '../support/http1-messages.ts'
import { RawClient } from '../support/raw-client.ts'
import { smugglingCases } from '../support/smuggling-cases.ts'
import { until } from '../support/until.ts'

/** Reads as strictly as can be, answers each request with its target, and keeps what it saw. */
class RecordingBackend {
  readonly targets: string[] = []
  /** Why bytes of the gateway were no requests. */
  readonly faults: string[] = []
  readonly #server = net.createServer((socket) => this.#serve(socket))
  readonly #open = new Set<net.Socket>()

  async listen(): Promise<number> {
    this.#server.listen({ port: 0, host: '127.0.0.1' })
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  stop(): void {
    for (const socket of this.#open) socket.destroy()
    this.#server.close()
  }

  #serve(socket: net.Socket): void {
    const reader = requestReader()
    this.#open.add(socket)
    socket.on('close', () => this.#open.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes)
      } catch (error) {
        this.faults.push(`${(error as Error).message} in ${JSON.stringify(bytes.toString('latin1'))}`)
        socket.destroy()
      }
      for (const { head } of reader.messages.splice(0)) {
        this.targets.push(head.uri)
        socket.write(`HTTP/1.1 200 OK\r\nX-Target: ${head.uri}\r\nContent-Length: 2\r\n\r\nok`)
      }
    })
  }
}

describe('requests that smuggle others', { timeout: 300_000 }, () => {
  const backend = new RecordingBackend()
  let gateway: TestGateway
  let probe: RawClient

  before(async () => {
    const node = `127.0.0.1:${await backend.listen()}`
    gateway = await startTestGateway({
      resources: { '/routes/1': { uri: '/*', upstream: { nodes: { [node]: 1 }, type: 'roundrobin' } } },
    })
    probe = await RawClient.connect(gateway.port('http'))
  })
  after(async () => {
    probe?.close()
    backend.stop()
    await gateway?.stop()
  })

  for (const { name, bytes, requests, then } of smugglingCases) {
    test(name, async () => {
      backend.targets.splice(0)
      const client = await RawClient.connect(gateway.port('http'))
      await client.send(bytes)
      if (typeof then === 'number') await client.end()
      else await until(() => answersIn(client.text).length >= requests, { what: 'the answers' })
      // Goes over the same connections to the endpoint: it would get the answer to what was smuggled.
      await probe.send('GET /probe HTTP/1.1\r\nHost: probe\r\n\r\n')
      const answer = await probe.heard((text) => text.endsWith('\r\n\r\nok'), 'the answer to the probe')
      probe.text = ''
      assert.match(answer, /\r\nX-Target: \/probe\r\n/)

      assert.deepEqual(backend.faults, [])
      assert.deepEqual(backend.targets, [...Array(requests).fill('/first'), '/probe'])
      const answers = answersIn(client.text)
      assert.deepEqual(answers.slice(0, requests), Array(requests).fill(200))
      if (typeof then === 'number') {
        // What is wrong with a body is 400, whatever it is.
        assert.equal(answers.length, requests + 1)
        assert.ok([then, 400].includes(answers[requests] as number), `${answers[requests]}`)
        assert.match(client.text, /\r\nConnection: close\r\n/)
      } else assert.equal(answers.length, requests)
      client.close()
    })
  }
})

/** The statuses of all answers, but for interim ones. */
function answersIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map(([, status]) => Number(status))
}
