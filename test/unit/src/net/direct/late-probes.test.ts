/** Keep-alive probing that is asked for late: seen in the kernel's own table of timers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { TimerWheel } from '../../../../../src/base/timers.ts'
import type { Link } from '../../../../../src/net/link.ts'
import { takeSocket } from '../../../../../src/net/portable/take-socket.ts'
import { wires } from '../../../../../src/net/wires.ts'
import { dialled, Recorder, streamTo } from '../../../../support/recorder.ts'
import { until } from '../../../../support/until.ts'

const kind = wires.find(({ name }) => name === 'epoll')
const skip = kind?.refusal() ?? false

const hex = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`

/** Whether the kernel has a timer of keep-alive probes for this connection, both of whose ends are on 127.0.0.1. */
function isProbed([local, remote]: readonly [number, number]): boolean {
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  const fields = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, from, to]) => from === hex(local) && to === hex(remote))
  return fields?.[5]?.startsWith('02:') === true
}

test('a dialled connection is probed once it has lived for a while, or when it goes to Node', { skip }, async (t) => {
  const wheel = new TimerWheel()
  const wire = kind!.create({ wheel })
  const accepted: Link[] = []
  const listener = await wire.listen(
    { host: '127.0.0.1', port: 0, reusePort: false, backlog: 16, keepAliveMs: 0 },
    (link) => {
      accepted.push(link)
      link.open(new Recorder())
    },
    assert.ifError,
  )
  const links: Link[] = []
  t.after(async () => {
    for (const link of [...accepted, ...links]) link.reset()
    await listener.close()
    wheel.stop()
  })
  const dial = async (keepAliveMs: number): Promise<Link> => {
    const { link } = await dialled(wire, { ...streamTo(listener.port), keepAliveMs })
    links.push(link!)
    return link!
  }
  const [old, never, handed, gone] = [await dial(60_000), await dial(0), await dial(60_000), await dial(60_000)]
  const ends = ({ localPort }: Link): [number, number] => [localPort, listener.port]
  const ports = [old, never, handed].map(ends)
  assert.deepEqual(ports.map(isProbed), [false, false, false])

  const socket = takeSocket(handed)
  t.after(() => socket.destroy())
  assert.deepEqual(ports.map(isProbed), [false, false, true])

  gone.reset()
  // Most likely by the descriptor of the one before.
  const heir = await dial(0)
  await until(() => isProbed(ends(old)), { ms: 60_000, what: 'probing' })
  assert.deepEqual(
    [never, heir].map((link) => isProbed(ends(link))),
    [false, false],
  )
})
