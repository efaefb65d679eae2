/** The command line with the real gateway behind it: what an operator reads when something is wrong. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { temporaryFolder } from '../support/home.ts'
import { type Outcome, runProgram } from '../support/program.ts'
import { root } from '../support/source-tree.ts'

let gateway: TestGateway
let front: number
before(async () => {
  front = await freePort()
  gateway = await startTestGateway({ config: { apisix: { stream_proxy: { tcp: [`127.0.0.1:${front}`] } } } })
})
after(() => gateway.stop())

const sluice = (home: string, ...words: string[]): Promise<Outcome> =>
  runProgram(process.execPath, [path.join(root, 'bin/sluice'), ...words, '--home', home])

test('status lists what listens and which workers carry it', async () => {
  const { status, out } = await sluice(gateway.home, 'status')
  assert.equal(status, 0)
  assert.match(out, new RegExp(`pid +${gateway.pid}\n`))
  assert.match(out, new RegExp(`listeners\n  tcp +127\\.0\\.0\\.1:${front}`))
  assert.match(out, /workers\n {2}0 {2}\S+ {2}revision \d+/)
})

test('a second start of the same home is refused', async () => {
  const { status, err } = await sluice(gateway.home, 'start')
  assert.deepEqual([status, err], [1, 'sluice: the old Sluice is still running, the new one will not start\n'])
})

test('a reload of a faulty file is refused with its place, and the old configuration goes on', async () => {
  const file = path.join(gateway.home, 'conf/config.yaml')
  const good = await gateway.file('conf/config.yaml')
  writeFileSync(file, `${good.slice(0, good.lastIndexOf('}'))},\n"deployment": 5}`)
  const { status, err } = await sluice(gateway.home, 'reload')
  assert.equal(status, 1)
  assert.match(err, /^reload failed, the old configuration goes on: config\.yaml:\d+: /)
  const tested = await sluice(gateway.home, 'test')
  assert.equal(tested.status, 1)
  assert.match(tested.err, /config\.yaml:\d+: .*\nconfiguration test failed\n$/)
  writeFileSync(file, good)
  const again = await sluice(gateway.home, 'reload')
  assert.equal(again.status, 0, again.err)
  assert.equal((await gateway.status()).listeners[0]?.port, front)
})

test('a start whose port is taken says which one and leaves nothing running', async () => {
  using folder = temporaryFolder()
  const port = await freePort()
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
  try {
    await sluice(folder.path, 'init')
    const conf = {
      apisix: { proxy_mode: 'stream', stream_proxy: { tcp: [`127.0.0.1:${port}`] } },
      deployment: { admin: { admin_listen: { port: await freePort() } } },
    }
    writeFileSync(path.join(folder.path, 'conf/config.yaml'), JSON.stringify(conf))
    const { status, err } = await sluice(folder.path, 'start')
    assert.equal(status, 1)
    assert.match(err, new RegExp(`^sluice: .*\\b${port}\\b`, 'm'))
    assert.equal((await sluice(folder.path, 'status')).status, 3)
  } finally {
    await new Promise((resolve) => taken.close(resolve))
  }
})
