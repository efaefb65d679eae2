/** What every wire promises when many links have something to read at the same moment: a wire may do that work for all of them at once. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type net from 'node:net'
import { describe, test } from 'node:test'
import type { Link } from '../../src/net/link.ts'
import type { Wire } from '../../src/net/wire.ts'
import { Echo, Recorder } from '../support/recorder.ts'
import { readAll, streamBench } from '../support/stream-bench.ts'
import { until } from '../support/until.ts'

/** More than a wire does at once. */
const crowd = 80

/** Acts when the first of a crowd hears something. */
class First extends Recorder {
  readonly #act: (link: Link) => void
  static isOver = false

  constructor(act: (link: Link) => void) {
    super()
    this.#act = act
  }

  override bytes(link: Link, bytes: Uint8Array): void {
    super.bytes(link, bytes)
    if (First.isOver) return
    First.isOver = true
    this.#act(link)
  }
}

export function crowdContract(name: string, create: () => Wire): void {
  describe(`${name}: many links at once`, { timeout: 60_000 }, () => {
    const bench = streamBench(create)
    const { links, pair } = bench

    async function pairs(count = crowd): Promise<[net.Socket, Link][]> {
      const made: [net.Socket, Link][] = []
      for (let index = 0; index < count; index += 1) made.push(await pair())
      return made
    }

    test('each is answered with its own bytes, whatever their sizes', async () => {
      bench.accept = (link) => link.open(new Echo())
      const all = await pairs()
      const answers = all.map(([socket]) => readAll(socket))
      const sent = all.map((): Buffer[] => [])
      for (let round = 0; round < 20; round += 1) {
        for (const [index, [socket]] of all.entries()) {
          // Most are small, some fill whatever a wire reads at once.
          const size = (index + round) % 16 === 0 ? 70_000 : 1 + ((index * 37 + round * 11) % 900)
          const bytes = Buffer.alloc(size, `${index} ${round} `)
          sent[index]?.push(bytes)
          socket.write(bytes)
        }
        await until(() => all.every(([, link], index) => link.bytesRead === total(sent[index])), { what: 'all read' })
      }
      for (const [socket] of all) socket.end()
      for (const [index, answer] of (await Promise.all(answers)).entries()) {
        assert.ok(answer.equals(Buffer.concat(sent[index] ?? [])), `the answer of ${index}`)
      }
    })

    test('one that the receiver of another closes hears nothing more', async () => {
      First.isOver = false
      const heard = new Map<Link, number>()
      const recorders = new Map<Link, Recorder>()
      bench.accept = (link) => {
        const recorder = new First((first) => {
          for (const other of links) {
            if (other === first) continue
            other.close()
            heard.set(other, recorders.get(other)?.size ?? 0)
          }
        })
        recorders.set(link, recorder)
        link.open(recorder)
      }
      const all = await pairs()
      for (const [socket] of all) socket.resume().end('hello')
      await until(() => [...recorders.values()].filter(({ closes }) => closes > 0).length === crowd - 1, {
        what: 'closed',
      })
      assert.equal(heard.size, crowd - 1)
      for (const [link, size] of heard) assert.equal(recorders.get(link)?.size, size)
    })

    test('one that the receiver of another pauses loses nothing', async () => {
      First.isOver = false
      const recorders: Recorder[] = []
      bench.accept = (link) => {
        const recorder = new First((first) => {
          for (const other of links) if (other !== first) other.pause()
        })
        recorders.push(recorder)
        link.open(recorder)
      }
      const all = await pairs()
      for (const [index, [socket]] of all.entries()) socket.write(`one ${index}, `)
      await until(() => First.isOver, { what: 'the first bytes' })
      for (const [index, [socket]] of all.entries()) socket.end(`two ${index}`)
      await new Promise((resolve) => setImmediate(resolve))
      for (const link of links) link.resume()
      await until(() => recorders.every(({ ends }) => ends === 1), { what: 'all ends' })
      for (const [index, { text }] of recorders.entries()) assert.equal(text, `one ${index}, two ${index}`)
    })

    test('an answer reaches the peer although the link is closed right after it', async () => {
      const body = Buffer.alloc(2000, 'body ')
      bench.accept = (link) => {
        const answering = new Recorder()
        answering.bytes = (of: Link, bytes: Uint8Array): void => {
          of.sendText(`to ${Buffer.from(bytes)}: `, body)
          of.send(Buffer.from('bye'))
          of.close()
        }
        link.open(answering)
      }
      const all = await pairs()
      const answers = all.map(([socket]) => readAll(socket))
      for (const [index, [socket]] of all.entries()) socket.write(`client ${index}`)
      for (const [index, answer] of (await Promise.all(answers)).entries()) {
        assert.equal(String(answer), `to client ${index}: ${body}bye`)
      }
    })

    test('one peer that is gone does not keep the others from their answers', async () => {
      bench.accept = (link) => link.open(new Echo())
      const all = await pairs()
      const others = all.filter((_, index) => index % 5 !== 0)
      for (const [socket] of all) socket.write('hello')
      for (const [index, [socket]] of all.entries()) if (index % 5 === 0) socket.resetAndDestroy()
      const answers = others.map(([socket]) => once(socket, 'data'))
      for (const answer of answers) assert.equal(String((await answer)[0]), 'hello')
    })
  })
}

const total = (pieces: readonly Buffer[] = []): number => pieces.reduce((sum, { length }) => sum + length, 0)
