/** What every wire promises about the bytes of streams. Peers are sockets of `node:net`: they share nothing with links. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type net from 'node:net'
import { describe, test } from 'node:test'
import type { Link } from '../../src/net/link.ts'
import type { Wire } from '../../src/net/wire.ts'
import { dialled, Echo, Recorder, streamTo } from '../support/recorder.ts'
import { readAll, streamBench } from '../support/stream-bench.ts'
import { until } from '../support/until.ts'

const fingerprint = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Bytes that differ at every place and for every seed, so that a mix-up shows. */
function sample(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let index = 0; index < size; index += 1) {
    state = (state * 1664525 + 1013904223) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

export function wireContract(name: string, create: () => Wire): void {
  describe(`${name}: bytes of streams`, { timeout: 60_000 }, () => {
    const bench = streamBench(create)
    const { wire, links, served, connect, pair } = bench

    for (const size of [1, 100, 4096, 65_536, 65_537, 1_000_003, 8_388_608]) {
      test(`${size} bytes come back whole and in order`, async () => {
        bench.accept = (link) => link.open(new Echo())
        const [socket] = await pair()
        const sent = sample(size, size)
        socket.end(sent)
        assert.equal(fingerprint(await readAll(socket)), fingerprint(sent))
        assert.equal(links[0]?.bytesRead, size)
        assert.equal(links[0]?.bytesWritten, size)
      })
    }

    test('bytes in pieces of many sizes keep their order', async () => {
      bench.accept = (link) => link.open(new Echo())
      const [socket] = await pair()
      const all: Buffer[] = []
      const answer = readAll(socket)
      for (let round = 0; round < 300; round += 1) {
        const piece = sample(1 + ((round * 7919) % 20_000), round)
        all.push(piece)
        if (!socket.write(piece)) await once(socket, 'drain')
      }
      socket.end()
      assert.equal(fingerprint(await answer), fingerprint(Buffer.concat(all)))
    })

    test('heads and bodies sent together stay together, in order, and nothing of the body is kept', async () => {
      const rounds = [0, 1, 100, 4000, 16_384, 70_000, 400_000]
      const expected: Buffer[] = []
      bench.accept = (link) => {
        link.open(new Recorder())
        for (const [index, size] of rounds.entries()) {
          const body = sample(size, index)
          const text = `head ${index} \u00e9\u00ff of ${size}\r\n\r\n`
          expected.push(Buffer.from(text, 'latin1'), Buffer.from(body))
          if (size === 0) link.sendText(text)
          else link.sendText(text, body)
          body.fill(0)
        }
        link.end()
      }
      const [socket] = await pair()
      assert.equal(fingerprint(await readAll(socket)), fingerprint(Buffer.concat(expected)))
    })

    test('what waits for a slow reader is not overwritten by what other links read', async () => {
      bench.accept = (link) => link.open(new Echo())
      const clients = await Promise.all(Array.from({ length: 8 }, () => connect()))
      const samples = clients.map((_, index) => sample(6_000_000, index))
      for (const [index, client] of clients.entries()) {
        client.pause()
        client.end(samples[index] as Buffer)
      }
      // Every link is stuck: its peer does not read, and a small talker keeps the shared memory busy meanwhile.
      await until(() => links.length === 8 && links.every((link) => link.pending > 0), { what: 'eight stuck links' })
      const talker = await connect()
      for (let round = 0; round < 50; round += 1) {
        talker.write(sample(3000, 100 + round))
        await once(talker, 'data')
      }
      const answers = await Promise.all(clients.map(readAll))
      assert.deepEqual(answers.map(fingerprint), samples.map(fingerprint))
    })

    test('small pieces forwarded to a link that is stuck are not overwritten by later reads', async () => {
      const { link: stuck } = await dialled(wire, streamTo(bench.serverPort))
      await until(() => served.length === 1, { what: 'the served socket' })
      const [reader] = served as [net.Socket]
      stuck?.open(new Recorder())
      let filled = 0
      let [last, still] = [0, 0]
      await until(
        () => {
          const { pending } = stuck as Link
          if (pending === 0) {
            stuck?.send(Buffer.alloc(1_000_000))
            filled += 1_000_000
          }
          still = pending > 0 && pending === last ? still + 1 : 0
          last = pending
          return still === 20
        },
        { what: 'a link that is stuck' },
      )
      const [socket, link] = await pair()
      let forwarded = 0
      link.open({
        bytes(_link, bytes) {
          stuck?.forward(bytes)
          forwarded += bytes.length
        },
        ended() {},
        drained() {},
        closed() {},
      })
      const pieces = Array.from({ length: 40 }, (_, index) => sample(100 + index, index))
      for (const piece of pieces) {
        const goal = forwarded + piece.length
        socket.write(piece)
        await until(() => forwarded === goal, { what: 'a forwarded piece' })
      }
      stuck?.end()
      const got = await readAll(reader)
      reader.end()
      assert.equal(got.length, filled + forwarded)
      assert.equal(fingerprint(got.subarray(filled)), fingerprint(Buffer.concat(pieces)))
    })

    test('a slow reader bounds what is pending, and drained comes when all of it has left', async () => {
      const recorder = new Recorder()
      bench.accept = (link) => link.open(recorder)
      const [socket, link] = await pair()
      socket.pause()
      const chunk = sample(65_536, 1)
      let sent = 0
      while (link.send(chunk)) sent += 1
      sent += 1
      assert.ok(link.pending > 0 && link.pending <= 65_536 * 8, `${link.pending} bytes pending`)
      assert.equal(recorder.drains, 0)
      let got = 0
      socket.on('data', (bytes) => {
        got += bytes.length
      })
      socket.resume()
      await until(() => recorder.drains === 1 && got === sent * chunk.length, { what: 'drained' })
      assert.equal(link.pending, 0)
      assert.equal(link.bytesWritten, sent * chunk.length)
    })

    test('a link reads nothing before it is opened, nor while it is paused', async () => {
      const recorder = new Recorder()
      const [socket, link] = await pair()
      socket.write('one')
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(link.bytesRead, 0)
      link.open(recorder)
      await until(() => recorder.text === 'one', { what: 'the first bytes' })
      link.pause()
      socket.write('two')
      await pair()
      assert.equal(recorder.text, 'one')
      link.resume()
      await until(() => recorder.text === 'onetwo', { what: 'the rest' })
    })

    test('another receiver takes over where the first left off', async () => {
      const [first, second] = [new Recorder(), new Recorder()]
      const [socket, link] = await pair()
      link.open(first)
      socket.write('head')
      await until(() => first.text === 'head', { what: 'the head' })
      link.open(second)
      socket.end('tail')
      await until(() => second.ends === 1, { what: 'the end' })
      assert.equal(first.text, 'head')
      assert.equal(second.text, 'tail')
      link.close()
      await until(() => second.closes === 1, { what: 'closed' })
      assert.equal(first.closes, 0)
    })
  })
}
