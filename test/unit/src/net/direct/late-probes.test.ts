/** Keep-alive probing that is asked for late: seen in the kernel's own table of timers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { TimerWheel } from '../../../../../src/base/timers.ts'
import type { Link } from '../../../../../src/net/link.ts'
import { takeSocket } from '../../../../../src/net/portable/take-socket.ts'
import { wires } from '../../../../../src/net/wires.ts'
import { manualClock } from '../../../../support/manual-clock.ts'
import { dialled, Recorder, streamTo } from '../../../../support/recorder.ts'
import { until } from '../../../../support/until.ts'

const kind = wires.find(({ name }) => name === 'epoll')
const skip = kind?.refusal() ?? false

const hex = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`

/** Which timer the kernel runs for a connection, both of whose ends are on 127.0.0.1. */
function timerOf([local, remote]: readonly [number, number]): string | undefined {
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  const fields = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, from, to]) => from === hex(local) && to === hex(remote))
  return fields?.[5]?.slice(0, 3)
}

/** Whether that is the one of keep-alive probes. A table that changes while it is read may lack a line: it is read again. */
async function isProbed(ports: readonly [number, number]): Promise<boolean> {
  return (await until(() => timerOf(ports), { what: 'the connection in the table' })) === '02:'
}
const areProbed = (all: readonly (readonly [number, number])[]): Promise<boolean[]> => Promise.all(all.map(isProbed))

test('a dialled connection is probed once it has lived for a while, or when it goes to Node', { skip }, async (t) => {
  // It stands while connections are made, however long that takes.
  const clock = manualClock()
  const wheel = new TimerWheel({ clock })
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
  assert.deepEqual(await areProbed(ports), [false, false, false])

  const socket = takeSocket(handed)
  t.after(() => socket.destroy())
  assert.deepEqual(await areProbed(ports), [false, false, true])

  gone.reset()
  // Most likely by the descriptor of the one before.
  const heir = await dial(0)
  const waiting = wheel.size
  const passed = (): boolean => {
    // A step of the wheel: more at once is a thread that was busy, which puts timers off.
    clock.advance(50)
    return wheel.size === 0
  }
  await until(passed, { ms: 60_000, what: 'the time that a connection has to live' })
  assert.equal(waiting, 1)
  assert.deepEqual(await areProbed([old, never, heir].map(ends)), [true, false, false])
})
