/** Which wire a gateway takes where the system does not allow the better ones, what it says of it, and that it serves. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { chooseWire } from '../../src/net/wires.ts'
import { askDatagram, firstLine, namedDatagrams, namedServer } from '../support/backends.ts'
import { freePort } from '../support/free-port.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts'
import { baseConfig, merged } from '../support/gateway-config.ts'
import { temporaryFolder } from '../support/home.ts'
import { runProgram } from '../support/program.ts'
import { root } from '../support/source-tree.ts'
import { until } from '../support/until.ts'
import { withoutIoUring } from '../support/without-io-uring.ts'

const compiled = temporaryFolder('sluice-seccomp')
after(() => compiled[Symbol.dispose]())
const [EPERM, ENOSYS] = [1, 38]
const forbidding = withoutIoUring(compiled.path, EPERM)
const hiding = withoutIoUring(compiled.path, ENOSYS)
const noUring = /^io_uring_setup is forbidden \(EPERM\) by a seccomp filter/
const noFfi = new RegExp(`^Node ${RegExp.escape(process.version)} has no node:ffi`)
/** Older versions of Node have none anyway, and do not know the option. */
const hasFfi = process.allowedNodeEnvironmentFlags.has('--experimental-ffi')
const withoutFfi: Readonly<Record<string, string>> = hasFfi ? { NODE_OPTIONS: '--no-experimental-ffi' } : {}
const needsLinux = process.platform !== 'linux' && 'needs Linux'
const needsDirect = needsLinux || (!hasFfi && 'needs a Node with node:ffi')

interface Expected {
  readonly wire: string
  /** Names of better wires and what is said of them. */
  readonly passedOver: readonly (readonly [name: string, reason: RegExp])[]
}

/** Starts a gateway with `auto` and looks at all that it tells of its wire, and that bytes and datagrams pass. */
async function takes(options: TestGatewayOptions, expected: Expected): Promise<void> {
  const [tcp, udp] = [await freePort(), await freePort()]
  await using servers = new AsyncDisposableStack()
  const [stream, datagrams] = [await namedServer('bytes'), await namedDatagrams('datagrams')]
  servers.defer(stream.stop)
  servers.defer(datagrams.stop)
  await using gateway = await startTestGateway({
    workers: 2,
    config: {
      sluice: { wire: 'auto' },
      apisix: { stream_proxy: { tcp: [`127.0.0.1:${tcp}`], udp: [`127.0.0.1:${udp}`] } },
    },
    resources: {
      '/stream_routes/tcp': { server_port: tcp, upstream: { nodes: { [stream.node]: 1 } } },
      '/stream_routes/udp': { server_port: udp, upstream: { scheme: 'udp', nodes: { [datagrams.node]: 1 } } },
    },
    ...options,
  })
  await tells(gateway, expected)
  await until(async () => (await firstLine(tcp)) === 'bytes', { what: 'a session of TCP' })
  assert.equal(await askDatagram(udp, 'hello'), 'datagrams hello')
}

async function tells(gateway: TestGateway, { wire, passedOver }: Expected): Promise<void> {
  const matches = (found: readonly { name: string; reason: string }[]): void => {
    assert.deepEqual(
      found.map(({ name }) => name),
      passedOver.map(([name]) => name),
    )
    for (const [index, [, reason]] of passedOver.entries()) assert.match(found[index]?.reason ?? '', reason)
  }
  const status = await gateway.status()
  assert.deepEqual([status.wire, ...status.workers.map((worker) => worker.wire)], [wire, wire, wire])
  matches(status.passedOver)
  const { body } = await gateway.ask('status', '/status/wire')
  const answer = body as { wire: string; passed_over: { name: string; reason: string }[] }
  assert.equal(answer.wire, wire)
  matches(answer.passed_over)

  const log = (await gateway.file('logs/error.log')).split('\n').filter((line) => line !== '')
  const said = log.map((line) => JSON.parse(line)).filter(({ msg }) => /wire/.test(msg))
  assert.equal(said.length, 1, 'one line of the log')
  assert.deepEqual([said[0].level, said[0].wire], ['notice', wire])
  matches(Object.entries<string>(said[0].passedOver).map(([name, reason]) => ({ name, reason })))
  // The terminal of a start that went well, and nothing else: no warning of Node's either.
  const terminal = await gateway.file('logs/terminal.log')
  assert.match(terminal, /^(made .*\n)*Sluice .* serves\n( {2}\S.*\n)+$/)
}

test('where nothing is forbidden auto is the best wire, and its line of the log passes nothing over', {
  skip: needsDirect,
}, async (t) => {
  const { name, passedOver } = chooseWire('auto')
  if (passedOver.length > 0) return t.skip(`this machine allows only ${name}`)
  await takes({}, { wire: 'uring', passedOver: [] })
})

for (const { name, rig, reason } of [
  { name: 'a seccomp filter forbids io_uring', rig: forbidding, reason: noUring },
  {
    name: 'a seccomp filter hides io_uring',
    rig: hiding,
    reason: /has no io_uring \(ENOSYS\), or a seccomp filter hides/,
  },
]) {
  test(`where ${name}, auto is epoll and says why`, { skip: needsDirect || rig.missing }, async () => {
    if (rig.missing !== false) return
    await takes({ under: rig.prefix }, { wire: 'epoll', passedOver: [['uring', reason]] })
  })
}

test('where node:ffi is missing, auto is portable and says why', {
  skip: needsLinux,
}, async () => {
  await takes(
    { env: withoutFfi },
    {
      wire: 'portable',
      passedOver: [
        ['uring', noFfi],
        ['epoll', noFfi],
      ],
    },
  )
})

for (const { wire, prefix, env, skip, reason } of [
  {
    wire: 'uring',
    prefix: forbidding.missing === false ? forbidding.prefix : [],
    env: {},
    skip: needsDirect || forbidding.missing,
    reason:
      /^sluice: sluice\.wire: uring cannot be had here: io_uring_setup is forbidden \(EPERM\) by a seccomp filter/,
  },
  {
    wire: 'epoll',
    prefix: [],
    env: withoutFfi,
    skip: needsLinux,
    reason: /^sluice: sluice\.wire: epoll cannot be had here: Node v\S+ has no node:ffi/,
  },
]) {
  test(`a start that asks for ${wire} by name where it cannot be had fails with the reason, as does a test of the configuration`, {
    skip,
  }, async () => {
    using folder = temporaryFolder()
    const home = folder.path
    const ports = {
      admin: await freePort(),
      control: await freePort(),
      prometheus: await freePort(),
      status: await freePort(),
      http: await freePort(),
      https: await freePort(),
    }
    mkdirSync(path.join(home, 'conf'))
    const config = merged(baseConfig(ports, 1), { sluice: { wire } })
    writeFileSync(path.join(home, 'conf/config.yaml'), JSON.stringify(config))
    const sluice = (...words: string[]) => {
      const command = [...prefix, process.execPath, path.join(root, 'bin/sluice'), ...words, '--home', home]
      return runProgram(command[0] ?? '', command.slice(1), { env: { ...process.env, ...env } })
    }
    const started = await sluice('start')
    assert.equal(started.status, 1, started.out)
    assert.match(started.err, reason)
    assert.match(started.err, /; there are auto, (epoll, )?portable\n$/)
    assert.equal((await sluice('status')).status, 3)
    const tested = await sluice('test')
    assert.equal(tested.status, 1, tested.out)
    assert.match(tested.err, new RegExp(`sluice\\.wire: ${wire} cannot be had here`))
  })
}
