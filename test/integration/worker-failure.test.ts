/** A worker that breaks takes only its own connections with it, and the port answers all the while. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { firstLine, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'

const plugin = fileURLToPath(new URL('../fixtures/throwing-plugin.ts', import.meta.url))

/** Asks a port over and over; `stop` resolves with how often it was refused. */
function ask(port: number): { stop: () => Promise<{ refused: number; answered: number }> } {
  const counts = { refused: 0, answered: 0 }
  let asking = true
  const done = (async () => {
    while (asking) {
      try {
        if ((await firstLine(port)) !== '') counts.answered++
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') counts.refused++
      }
    }
    return counts
  })()
  return {
    stop: () => {
      asking = false
      return done
    },
  }
}

async function replaced(gateway: TestGateway, workers: number): Promise<void> {
  await until(
    async () => {
      const status = await gateway.status()
      const running = status.workers.filter(({ state }) => state === 'running')
      return status.workers.length === workers && running.length === workers && (running[0]?.restarts ?? 0) > 0
    },
    { what: 'the replacement' },
  )
}

for (const workers of [1, 2]) {
  test(`with ${workers} worker(s), a thrown error loses its worker's connections only and the port never closes`, async () => {
    const backend = await namedServer('here')
    const [steady, breaking] = [await freePort(), await freePort()]
    const upstream = { nodes: { [backend.node]: 1 } }
    const gateway = await startTestGateway({
      workers,
      config: {
        apisix: { stream_proxy: { tcp: [`127.0.0.1:${steady}`, `127.0.0.1:${breaking}`] } },
        sluice: { extra_plugins: [plugin] },
      },
      resources: {
        '/stream_routes/steady': { server_port: steady, upstream },
        '/stream_routes/breaking': { server_port: breaking, upstream, plugins: { 'throw-later': {} } },
      },
    })
    const sessions: net.Socket[] = []
    const asking = ask(steady)
    try {
      const lost = new Set<net.Socket>()
      for (let i = 0; i < 16; i++) {
        const session = net.connect(steady, '127.0.0.1')
        sessions.push(session)
        session.on('error', () => {})
        session.on('close', () => lost.add(session))
        await once(session, 'data')
      }
      const before = await gateway.status()
      await firstLine(breaking).catch(() => {})
      await replaced(gateway, workers)
      const { refused, answered } = await asking.stop()
      assert.equal(refused, 0)
      assert.ok(answered > 0)
      const survivors = sessions.filter((session) => !lost.has(session))
      if (workers > 1) {
        const largest = Math.max(...before.workers.map(({ connections }) => connections))
        assert.ok(survivors.length >= 15 - largest, `${survivors.length} of 16 survived, ${largest} were on one worker`)
        for (const session of survivors) {
          session.write('still')
          const [echo] = (await once(session, 'data')) as [Buffer]
          assert.equal(echo.toString(), 'still')
        }
      }
      assert.match(await gateway.log(), /thrown by a test plugin/)
    } finally {
      await asking.stop()
      for (const session of sessions) session.destroy()
      await gateway.stop()
      await backend.stop()
    }
  })
}
