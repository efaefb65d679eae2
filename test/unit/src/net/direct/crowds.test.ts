/** Many links at once, and greedy ones: what a direct wire has little of goes round. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Link } from '../../../../../src/net/link.ts'
import type { Listener, Wire } from '../../../../../src/net/wire.ts'
import { wires } from '../../../../../src/net/wires.ts'
import { Echo, Recorder } from '../../../../support/recorder.ts'
import { until } from '../../../../support/until.ts'

for (const kind of wires.filter(({ name }) => name !== 'portable')) {
  describe(`${kind.name}: crowds`, { skip: kind.refusal() ?? false, timeout: 120_000 }, () => {
    let wire: Wire
    let listener: Listener
    let accept: (link: Link) => void = () => {}
    const links: Link[] = []
    const clients: net.Socket[] = []

    before(async () => {
      wire = kind.create()
      listener = await wire.listen(
        { host: '127.0.0.1', port: 0, reusePort: false, backlog: 1024, keepAliveMs: 0 },
        (link) => {
          links.push(link)
          accept(link)
        },
        assert.ifError,
      )
    })

    after(async () => {
      for (const client of clients) client.destroy()
      for (const link of links) link.reset()
      await listener.close()
    })

    async function crowd(count: number): Promise<net.Socket[]> {
      const all = Array.from({ length: count }, () => net.connect(listener.port, '127.0.0.1'))
      clients.push(...all)
      await Promise.all(all.map((client) => once(client, 'connect')))
      return all
    }

    test('when more links speak at once than there are buffers for, each is heard', async () => {
      accept = (link) => link.open(new Echo())
      const all = await crowd(600)
      for (let round = 0; round < 4; round += 1) {
        const answers = all.map((client) => once(client, 'data') as Promise<[Buffer]>)
        for (const [index, client] of all.entries()) client.write(`${index} of round ${round}`)
        const texts = (await Promise.all(answers)).map(([bytes]) => String(bytes))
        assert.deepEqual(
          texts,
          all.map((_, index) => `${index} of round ${round}`),
        )
      }
    })

    test('links that are paused while much arrives hold nothing that others need', async () => {
      const recorders: Recorder[] = []
      accept = (link) => {
        const recorder = new Recorder()
        recorders.push(recorder)
        link.open(recorder)
      }
      const count = 400
      const before = links.length
      const all = await crowd(count)
      await until(() => links.length === before + count, { what: 'all links' })
      const paused = links.slice(before)
      const flood = Buffer.alloc(300_000, 'flood ')
      for (const client of all) client.write(flood)
      await until(() => recorders.every(({ size }) => size === flood.length), { ms: 20_000, what: 'the first floods' })
      for (const link of paused) link.pause()
      for (const client of all) client.end(flood)
      accept = (link) => link.open(new Echo())
      const [late] = (await crowd(1)) as [net.Socket]
      let answered = 0
      late.on('data', (bytes: Buffer) => {
        answered += bytes.length
      })
      for (let round = 1; round <= 5; round += 1) {
        late.write(flood)
        await until(() => answered === round * flood.length, { what: 'the answer on a link that is not paused' })
      }
      assert.ok(recorders.every(({ ends }) => ends === 0))
      for (const link of paused) link.resume()
      await until(() => recorders.every(({ ends }) => ends === 1), { ms: 20_000, what: 'the end of all floods' })
      for (const { size } of recorders) assert.equal(size, flood.length * 2)
      for (const link of paused) link.close()
    })

    test('links that bring as much as they can do not keep a quiet one waiting', async () => {
      accept = (link) => link.open(new Echo())
      let moved = 0
      const greedy = await crowd(6)
      const chunk = Buffer.alloc(1 << 20)
      for (const client of greedy) {
        const more = (): void => {
          while (client.write(chunk));
        }
        client.on('drain', more)
        client.on('data', (bytes: Buffer) => {
          moved += bytes.length
        })
        more()
      }
      const [quiet] = (await crowd(1)) as [net.Socket]
      const between: number[] = []
      for (let round = 0; round < 30; round += 1) {
        const before = moved
        quiet.write('x')
        await once(quiet, 'data')
        between.push(moved - before)
      }
      for (const client of greedy) client.destroy()
      between.sort((one, other) => one - other)
      const median = between[between.length >>> 1] as number
      assert.ok(moved > 10_000_000, `${moved} bytes of the greedy`)
      // They share this thread with both ends of all connections, so that each round trip takes some turns of all.
      assert.ok(median < 64 << 20, `${median} bytes of others between question and answer`)
    })
  })
}
