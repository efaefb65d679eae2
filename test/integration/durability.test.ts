/** Killed at any moment while the Admin API writes: what was answered is there after the restart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'

/** Deterministic, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('every write that was answered survives kill -9, over a thousand writes', async () => {
  const next = random(7)
  const answered = new Map<string, string>()
  let writes = 0
  let gateway = await startTestGateway({ workers: 1 })
  while (writes < 1000) {
    const killAfter = 20 + Math.floor(next() * 120)
    let done = 0
    const write = async (): Promise<void> => {
      for (;;) {
        const id = `u${Math.floor(next() * 200)}`
        const name = `n${writes++}`
        // The name of a write that was not answered may be there or not: only one that was has to be.
        const before = answered.get(id)
        answered.delete(id)
        const reply = await gateway.admin('PUT', `/upstreams/${id}`, { name, nodes: {} }).catch(() => undefined)
        if (reply === undefined || reply.status >= 300) {
          if (before !== undefined) uncertain.add(id)
          return
        }
        answered.set(id, name)
        uncertain.delete(id)
        if (++done === killAfter) void gateway.kill('SIGKILL')
      }
    }
    const uncertain = new Set<string>()
    await write()
    gateway = await gateway.restart()
    const { body } = await gateway.admin('GET', '/upstreams')
    const there = new Map(
      (body as { list: { value: { id: string; name: string } }[] }).list.map(({ value }) => [value.id, value.name]),
    )
    for (const [id, name] of answered) assert.equal(there.get(id), name, `upstream ${id}`)
    for (const id of uncertain) assert.ok(there.has(id), `upstream ${id} had been written before`)
  }
  await gateway.stop()
})
