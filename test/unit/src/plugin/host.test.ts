/** The plugin host: order, `_meta`, faults and what chains let go of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SharedCounters } from '../../../../src/base/shared-counters.ts'
import { attachSharedWindows, createSharedWindows } from '../../../../src/base/shared-windows.ts'
import type { StreamExchange } from '../../../../src/exchange/exchange.ts'
import { silentLog } from '../../../../src/observability/log.ts'
import { PluginHost } from '../../../../src/plugin/host.ts'
import type { AnyPlugin, Build, Phases, Plugin } from '../../../../src/plugin/plugin.ts'
import { runLog, runSteps } from '../../../../src/plugin/run.ts'

const windows = attachSharedWindows(createSharedWindows(64), 0)

type Conf = Record<string, unknown>
const exchange = { variable: (name: string) => (name === 'remote_addr' ? '127.0.0.1' : undefined) } as StreamExchange
const counters: SharedCounters = { open: () => undefined }

function plugin(name: string, priority: number, create: (conf: Conf, build: Build) => Phases): AnyPlugin {
  const made: Plugin<Conf> = { name, priority, version: 1, subsystem: 'stream', schema: { type: 'object' }, create }
  return made as unknown as AnyPlugin
}

function host(...plugins: AnyPlugin[]): PluginHost {
  return new PluginHost({
    plugins,
    counters,
    windows,
    log: silentLog,
    compileFilter: (filter) => {
      if (!Array.isArray(filter)) throw new Error('a filter is a list')
      return (one) => one.variable('remote_addr') === filter[0]
    },
  })
}

test('plugins run in order of priority, whatever the order of the configuration', () => {
  const ran: string[] = []
  const note = (name: string, priority: number) =>
    plugin(name, priority, () => ({ preread: () => void ran.push(name) }))
  const chain = host(note('low', 1), note('high', 9), note('middle', 5)).chain('r', { low: {}, high: {}, middle: {} })
  assert.equal(runSteps(chain.preread ?? [], exchange), undefined)
  assert.deepEqual(ran, ['high', 'middle', 'low'])
  assert.deepEqual(chain.names, ran)
})

test('_meta.priority moves a plugin and _meta.disable leaves it out', () => {
  const quiet = (name: string, priority: number) => plugin(name, priority, () => ({ preread: () => undefined }))
  const chain = host(quiet('a', 1), quiet('b', 2), quiet('c', 3)).chain('r', {
    a: { _meta: { priority: 10 } },
    b: {},
    c: { _meta: { disable: true } },
  })
  assert.deepEqual(chain.names, ['a', 'b'])
})

test('_meta.filter decides per exchange whether any phase runs', () => {
  const ran: string[] = []
  const both = plugin('both', 1, () => ({ preread: () => void ran.push('preread'), log: () => void ran.push('log') }))
  for (const [address, expected] of [
    ['127.0.0.1', ['preread', 'log']],
    ['10.0.0.1', []],
  ] as const) {
    ran.length = 0
    const chain = host(both).chain('r', { both: { _meta: { filter: [address] } } })
    runSteps(chain.preread ?? [], exchange)
    runLog(chain.log ?? [], exchange, (fault) => assert.fail(String(fault)))
    assert.deepEqual(ran, expected)
  }
})

test('_meta.filter is asked once for an exchange, at its first phase', () => {
  const ran: string[] = []
  const both = plugin('both', 1, () => ({ preread: () => void ran.push('preread'), log: () => void ran.push('log') }))
  let address = '127.0.0.1'
  const moving = { variable: () => address } as unknown as StreamExchange
  const chain = host(both).chain('r', { both: { _meta: { filter: ['127.0.0.1'] } } })
  runSteps(chain.preread ?? [], moving)
  address = '10.0.0.1'
  runLog(chain.log ?? [], moving, (fault) => assert.fail(String(fault)))
  assert.deepEqual(ran, ['preread', 'log'])
})

test('an answer stops later steps, given at once or by a promise', async () => {
  const ran: string[] = []
  const answering = (late: boolean) =>
    plugin('first', 2, () => ({ preread: () => (late ? Promise.resolve({ status: 403 }) : { status: 403 }) }))
  const second = plugin('second', 1, () => ({ preread: () => void ran.push('second') }))
  for (const late of [false, true]) {
    const chain = host(answering(late), second).chain('r', { first: {}, second: {} })
    assert.deepEqual(await runSteps(chain.preread ?? [], exchange), { status: 403 })
  }
  assert.deepEqual(ran, [])
})

test('a step that waits lets the later ones run after it', async () => {
  const ran: string[] = []
  const waiting = plugin('waiting', 2, () => ({
    preread: () => Promise.resolve(undefined).then(() => void ran.push('waiting')),
  }))
  const after = plugin('after', 1, () => ({ preread: () => void ran.push('after') }))
  const chain = host(waiting, after).chain('r', { waiting: {}, after: {} })
  assert.equal(await runSteps(chain.preread ?? [], exchange), undefined)
  assert.deepEqual(ran, ['waiting', 'after'])
})

test('what a step throws or rejects with becomes an internal error of this exchange', async () => {
  const throwing = plugin('throwing', 1, () => ({
    preread: () => {
      throw new Error('at once')
    },
  }))
  const rejecting = plugin('rejecting', 1, () => ({ preread: () => Promise.reject(new Error('later')) }))
  assert.throws(() => runSteps(host(throwing).chain('r', { throwing: {} }).preread ?? [], exchange), {
    code: 'internal',
    message: 'at once',
  })
  await assert.rejects(async () => runSteps(host(rejecting).chain('r', { rejecting: {} }).preread ?? [], exchange), {
    code: 'internal',
    message: 'later',
  })
})

test('a log step that throws is reported and does not keep the others from running', () => {
  const ran: string[] = []
  const faults: unknown[] = []
  const throwing = plugin('throwing', 2, () => ({
    log: () => {
      throw new Error('broken')
    },
  }))
  const fine = plugin('fine', 1, () => ({ log: () => void ran.push('fine') }))
  runLog(host(throwing, fine).chain('r', { throwing: {}, fine: {} }).log ?? [], exchange, (fault) => faults.push(fault))
  assert.deepEqual(ran, ['fine'])
  assert.equal((faults[0] as Error).message, 'broken')
})

test('a plugin that does not start, or is not enabled, is left out of its chain', () => {
  const broken = plugin('broken', 2, () => {
    throw new Error('no')
  })
  const fine = plugin('fine', 1, () => ({ preread: () => undefined }))
  assert.deepEqual(host(broken, fine).chain('r', { broken: {}, fine: {}, absent: {} }).names, ['fine'])
})

test('a route without plugins has no phase to ask', () => {
  const chain = host().chain('r', {})
  assert.equal(chain.preread, undefined)
  assert.equal(chain.log, undefined)
})

test('a standing value is shared by the chains that hold it and made anew after the last one closed', () => {
  let made = 0
  const seen: unknown[] = []
  const keeper = plugin('keeper', 1, (_conf, build) => {
    seen.push(build.standing('table', () => ++made))
    return { log: () => undefined }
  })
  const one = host(keeper)
  const first = one.chain('r1', { keeper: {} })
  const second = one.chain('r2', { keeper: {} })
  first.close()
  one.chain('r3', { keeper: {} }).close()
  second.close()
  one.chain('r4', { keeper: {} })
  assert.deepEqual(seen, [1, 1, 1, 2])
})
