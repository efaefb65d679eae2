/** The ways a gateway ends: quit lets sessions end, for a while; stop does not; each ends with status 0 and leaves nothing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { type Backend, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'

interface Setting extends AsyncDisposable {
  readonly gateway: TestGateway
  readonly port: number
  readonly session: net.Socket
  /** Resolves when the session has ended. */
  readonly over: Promise<unknown>
}

/** A gateway of two workers with one session through it. */
async function setting(shutdownTimeout: string): Promise<Setting> {
  const port = await freePort()
  const backend: Backend = await namedServer('here')
  const gateway = await startTestGateway({
    workers: 2,
    config: {
      apisix: { stream_proxy: { tcp: [`127.0.0.1:${port}`] } },
      nginx_config: { worker_shutdown_timeout: shutdownTimeout },
    },
    resources: { '/stream_routes/all': { upstream: { nodes: { [backend.node]: 1 } } } },
  })
  const session = net.connect(port, '127.0.0.1')
  await once(session, 'data')
  session.on('error', () => {})
  const over = new Promise((resolve) => session.once('close', resolve))
  return {
    ...{ gateway, port, session, over },
    async [Symbol.asyncDispose]() {
      session.destroy()
      await gateway.stop()
      await backend.stop()
    },
  }
}

async function refused(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}

async function echoes(session: net.Socket, text: string): Promise<void> {
  session.write(text)
  const [echo] = (await once(session, 'data')) as [Buffer]
  assert.equal(echo.toString(), text)
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const left = (gateway: TestGateway): boolean => existsSync(path.join(gateway.home, 'logs/nginx.pid'))

test('quit ends listening at once and the process with its last session', async () => {
  await using set = await setting('60s')
  const { gateway, port, session } = set
  await gateway.kill('SIGQUIT')
  await until(() => refused(port), { what: 'the end of listening' })
  await until(() => refused(gateway.port('admin')), { what: 'the end of the Admin API' })
  await echoes(session, 'still here')
  assert.ok(alive(gateway.pid))
  session.end()
  await until(() => !alive(gateway.pid), { what: 'the end' })
  assert.equal(left(gateway), false)
})

test('quit cuts sessions that last longer than worker_shutdown_timeout', async () => {
  await using set = await setting('1s')
  const { gateway, session, over } = set
  await gateway.kill('SIGQUIT')
  await echoes(session, 'still here')
  await over
  await until(() => !alive(gateway.pid), { what: 'the end' })
  assert.match(await gateway.file('logs/error.log'), /"code":"draining"/)
})

test('stop ends at once, sessions with it', async () => {
  await using set = await setting('60s')
  const { gateway, over } = set
  await gateway.kill('SIGTERM')
  await over
  await until(() => !alive(gateway.pid), { what: 'the end', ms: 5000 })
  assert.equal(left(gateway), false)
})

test('a stop overtakes a quit', async () => {
  await using set = await setting('60s')
  const { gateway, port, session, over } = set
  await gateway.kill('SIGQUIT')
  await until(() => refused(port), { what: 'the end of listening' })
  await echoes(session, 'still here')
  await gateway.kill('SIGTERM')
  await over
  await until(() => !alive(gateway.pid), { what: 'the end', ms: 5000 })
})

test('a connection in the middle of its TLS handshake is waited for', async () => {
  await using set = await setting('2s')
  const { gateway } = set
  const tls = await freePort()
  gateway.configure({
    apisix: { stream_proxy: { tcp: [{ addr: `127.0.0.1:${tls}`, tls: true }] } },
    nginx_config: { worker_shutdown_timeout: '2s' },
    sluice: { limits: { tls_handshake_timeout: '60s' } },
  })
  await gateway.reload()
  const half = net.connect(tls, '127.0.0.1')
  let ended = false
  half.on('close', () => {
    ended = true
  })
  half.on('error', () => {})
  await once(half, 'connect')
  half.write(Buffer.from([0x16, 0x03, 0x01]))
  const pending = async () => (await gateway.status()).connections.active === 2
  await until(pending, { what: 'the handshake' })
  set.session.destroy()
  await gateway.kill('SIGQUIT')
  await until(() => refused(tls), { what: 'the end of listening' })
  assert.equal(ended, false)
  await until(() => !alive(gateway.pid), { what: 'the end' })
  half.destroy()
})
