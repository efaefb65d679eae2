/** The list of enabled plugins that a file of resources brings: it takes the place of config.yaml's, and follows the file. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { type Backend, firstLine, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { until } from '../support/until.ts'

function write(gateway: Pick<TestGateway, 'home'>, document: object): void {
  writeFileSync(path.join(gateway.home, 'conf/apisix.yaml'), `${stringify(document)}\n#END\n`)
}

/** Both workers say so, again and again. */
async function settled(port: number, expected: string): Promise<void> {
  let inARow = 0
  const asked = async (): Promise<boolean> => {
    const line = await firstLine(port, {}).catch(() => '')
    inARow = line === expected ? inARow + 1 : 0
    return inARow >= 10
  }
  await until(asked, { ms: 30_000, what: `the answer "${expected}"` })
}

test('plugins that the file does not list are not to be had, and come and go with the list', async () => {
  const port = await freePort()
  const backend: Backend = await namedServer('in')
  const restricted = {
    upstream: { nodes: { [backend.node]: 1 } },
    plugins: { 'ip-restriction': { whitelist: ['10.0.0.1'] } },
  }
  const document = { stream_routes: [{ id: 'r', ...restricted }] }
  const config = { apisix: { stream_proxy: { tcp: [`127.0.0.1:${port}`] } } }
  const gateway = await startTestGateway({ workers: 2, config })
  try {
    write(gateway, document)
    gateway.configure({ ...config, deployment: { role: 'data_plane', role_data_plane: { config_provider: 'yaml' } } })
    await gateway.restart()
    await settled(port, '')
    write(gateway, { plugins: [{ name: 'limit-conn', stream: true }], ...document })
    await until(async () => (await gateway.log()).includes('unknown plugin [ip-restriction]'), { what: 'the refusal' })
    const open = { ...document, stream_routes: [{ id: 'r', upstream: restricted.upstream }] }
    write(gateway, { plugins: [{ name: 'limit-conn', stream: true }], ...open })
    await settled(port, 'in')
    write(gateway, { plugins: [{ name: 'ip-restriction', stream: true }], ...document })
    await settled(port, '')
    write(gateway, open)
    await settled(port, 'in')
    write(gateway, document)
    await settled(port, '')
    assert.equal((await gateway.status()).config.rejected, 0)
  } finally {
    await backend.stop()
    await gateway.stop()
  }
})
