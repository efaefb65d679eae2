/** The plugin host and HTTP: `_meta`, merged chains that keep what did not change, consumers' plugins, global rules. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../src/base/json.ts'
import { attachSharedWindows, createSharedWindows } from '../../../../src/base/shared-windows.ts'
import { emptyChain } from '../../../../src/plugin/chain.ts'
import { PluginHost } from '../../../../src/plugin/host.ts'
import { mergeLayers, type PluginSet } from '../../../../src/plugin/merge.ts'
import type { AnyPlugin, Build, Phases, Plugin } from '../../../../src/plugin/plugin.ts'
import { runLog, runSteps } from '../../../../src/plugin/run.ts'
import { httpExchange } from '../../../support/http-exchange.ts'

const windows = attachSharedWindows(createSharedWindows(64), 0)

type Make = (conf: JsonObject, build: Build) => Phases

function plugin(name: string, priority: number, create: Make, more: Partial<Plugin<JsonObject>> = {}): AnyPlugin {
  const schema = { type: 'object', properties: { n: { type: 'integer', default: 7 } } }
  return { name, priority, version: 1, subsystem: 'http', schema, create, ...more } as unknown as AnyPlugin
}

function hostOf(...plugins: AnyPlugin[]) {
  const faults: string[] = []
  const note = (fields: object, message: string): void => {
    const { error } = fields as { error?: Error }
    faults.push(`${message}${error === undefined ? '' : `: ${error.message}`}`)
  }
  const host = new PluginHost({
    plugins,
    counters: { open: () => undefined },
    windows,
    log: { warn: note, error: note },
    compileFilter: (filter) => {
      if (!Array.isArray(filter)) throw new Error('a filter is a list')
      return (exchange) => {
        if (filter[0] === 'broken') throw new Error('no such function')
        return exchange.variable('uri') === filter[0]
      }
    },
  })
  return { host, faults }
}

const placed = (plugins: PluginSet, origin = 'routes/1') => mergeLayers({ origin, plugins })
const refusing =
  (status: number): Make =>
  () => ({ access: () => ({ status, body: { message: 'plain' } }) })

test('_meta.error_response takes the place of the body of refusals, and of nothing else', async () => {
  const late: Make = () => ({ access: () => Promise.resolve({ status: 403, body: 'plain' }) })
  const { host } = hostOf(plugin('no', 1, refusing(401)), plugin('yes', 1, refusing(200)), plugin('late', 1, late))
  for (const [name, body, expected] of [
    ['no', { code: 7 }, { status: 401, body: { code: 7 } }],
    ['no', 'go away', { status: 401, body: 'go away' }],
    ['yes', 'go away', { status: 200, body: { message: 'plain' } }],
    ['late', 'go away', { status: 403, body: 'go away' }],
  ] as const) {
    const chain = host.mergedChain('routes/1', placed({ [name]: { _meta: { error_response: body } } }))
    assert.deepEqual(await runSteps(chain.access ?? [], httpExchange()), expected)
  }
})

test('_meta.filter holds for every phase of a request, and a filter that cannot be evaluated lets the plugin run', () => {
  const ran: string[] = []
  const make: Make = () => ({
    rewrite: () => void ran.push('rewrite'),
    headerFilter: () => void ran.push('header'),
    log: () => void ran.push('log'),
  })
  const { host, faults } = hostOf(plugin('a', 1, make))
  for (const [filter, target, expected] of [
    [['/a'], '/a', ['rewrite', 'header', 'log']],
    [['/a'], '/b', []],
    [['broken'], '/b', ['rewrite', 'header', 'log']],
  ] as const) {
    ran.length = 0
    const chain = host.mergedChain('routes/1', placed({ a: { _meta: { filter: [...filter] } } }))
    const exchange = httpExchange({ target })
    runSteps(chain.rewrite ?? [], exchange)
    exchange.setVariable('uri', '/changed')
    for (const headerFilter of chain.headerFilter ?? []) headerFilter(exchange, {} as never)
    runLog(chain.log ?? [], exchange, (fault) => assert.fail(String(fault)))
    assert.deepEqual(ran, expected)
  }
  assert.deepEqual(faults, ['a filter could not be evaluated; the plugin runs: no such function'])
})

test('a step that waits is the last one to run if the exchange fails meanwhile', async () => {
  const ran: string[] = []
  let resume: () => void = () => {}
  const waiting: Make = () => ({
    access: () =>
      new Promise((resolve) => {
        resume = () => resolve(undefined)
      }),
  })
  const { host } = hostOf(
    plugin('waiting', 2, waiting),
    plugin('next', 1, () => ({ access: () => void ran.push('next') })),
  )
  const chain = host.mergedChain('routes/1', placed({ waiting: {}, next: {} }))
  const exchange = httpExchange()
  const verdict = runSteps(chain.access ?? [], exchange)
  exchange.fail(new (await import('../../../../src/errors.ts')).GatewayError('client_gone'))
  resume()
  await assert.rejects(async () => verdict, { code: 'client_gone' })
  assert.deepEqual(ran, [])
})

test('what comes out the same goes on in the next chain, and closes with the last chain that has it', () => {
  const events: string[] = []
  const make: Make = (conf) => {
    events.push(`make ${conf['n']}`)
    return { access: () => undefined, close: () => void events.push(`close ${conf['n']}`) }
  }
  const { host } = hostOf(plugin('a', 2, make), plugin('b', 1, make))
  const first = host.mergedChain('routes/1', placed({ a: { n: 1 }, b: { n: 2 } }))
  const second = host.mergedChain('routes/1', placed({ a: { n: 1 }, b: { n: 3 } }), first)
  assert.equal(second.access?.[0], first.access?.[0])
  first.close()
  first.close()
  assert.deepEqual(events, ['make 1', 'make 2', 'make 3', 'close 2'])
  host.mergedChain('routes/1', placed({ a: { n: 1 } }, 'services/1'), second)
  second.close()
  assert.deepEqual(events.slice(4), ['make 1', 'close 1', 'close 3'])
})

test('plugins of another version of themselves are made anew though nothing else changed', () => {
  let made = 0
  const make: Make = () => {
    made++
    return {}
  }
  const { host } = hostOf(plugin('a', 1, make))
  const first = host.mergedChain('routes/1', placed({ a: {} }))
  host.enable([plugin('a', 1, make)])
  host.mergedChain('routes/1', placed({ a: {} }), first)
  assert.equal(made, 2)
})

test("a consumer's plugins replace the route's, those it alone has run their rewrite late, its auth plugins are no plugins", () => {
  const ran: string[] = []
  const make =
    (name: string): Make =>
    (conf) => ({
      rewrite: () => void ran.push(`${name} rewrite ${conf['n']}`),
      access: () => void ran.push(`${name} access ${conf['n']}`),
    })
  const { host } = hostOf(
    plugin('key-auth', 9, make('key-auth'), { type: 'auth' }),
    ...['both', 'route', 'off', 'own'].map((name, at) => plugin(name, at + 1, make(name))),
  )
  const route = placed({ 'key-auth': { n: 1 }, both: { n: 1 }, route: { n: 1 }, off: { n: 1 } })
  const base = host.mergedChain('routes/1', route)
  const consumer = placed(
    { 'key-auth': { n: 2 }, both: { n: 2 }, own: { n: 2 }, off: { _meta: { disable: true } } },
    'consumers/jack',
  )
  const { chain, lateRewrite } = host.overlay('routes/1 consumers/jack', base, route, consumer)
  runSteps(lateRewrite ?? [], httpExchange())
  runSteps(chain.access ?? [], httpExchange())
  assert.deepEqual(ran, ['own rewrite 2', 'key-auth access 1', 'own access 2', 'route access 1', 'both access 2'])
  assert.deepEqual(chain.names, ['key-auth', 'own', 'route', 'both'])
})

test("the route's own plugins live as long as a chain over them", () => {
  const closed: string[] = []
  const make =
    (name: string): Make =>
    () => ({ close: () => void closed.push(name) })
  const { host } = hostOf(plugin('a', 1, make('a')), plugin('b', 1, make('b')))
  const route = placed({ a: {} })
  const base = host.mergedChain('routes/1', route)
  const { chain } = host.overlay('o', base, route, placed({ b: {} }, 'consumers/jack'))
  base.close()
  assert.deepEqual(closed, [])
  chain.close()
  assert.deepEqual(closed, ['a', 'b'])
})

test('a plugin that did not start refuses every request with an internal error that says why, and is tried again', () => {
  let works = false
  const make: Make = () => {
    if (!works) throw new Error('no such key')
    return { access: () => ({ status: 200 }) }
  }
  const { host, faults } = hostOf(plugin('a', 1, make))
  const chain = host.mergedChain('routes/1', placed({ a: {} }))
  const refused = { code: 'internal', message: 'plugin a did not start: no such key' }
  assert.throws(() => runSteps(chain.rewrite ?? [], httpExchange()), refused)
  const { chain: over } = host.overlay('o', emptyChain, { a: {} }, placed({ a: {} }))
  assert.throws(() => runSteps(over.access ?? [], httpExchange()), refused)
  assert.deepEqual(faults, Array(2).fill('a plugin did not start: no such key'))
  works = true
  const next = host.mergedChain('routes/1', placed({ a: {} }), chain)
  assert.deepEqual(runSteps(next.access ?? [], httpExchange()), { status: 200 })
})

test('plugins that prefer the route step aside in global rules where the route has them', () => {
  const nothing: Make = () => ({ log: () => undefined })
  const { host } = hostOf(plugin('a', 1, nothing), plugin('b', 2, nothing, { runPolicy: 'prefer_route' }))
  const globals = host.globalChain(placed({ a: {}, b: {} }, 'global_rules/1'))
  assert.equal(globals.beside(emptyChain), globals.chain)
  assert.deepEqual(globals.chain.names, ['b', 'a'])
  const route = host.mergedChain('routes/1', placed({ b: {} }))
  assert.deepEqual(globals.beside(route).names, ['a'])
  assert.equal(globals.beside(route), globals.beside(host.mergedChain('routes/2', placed({ b: {} }))))
  const off = host.mergedChain('routes/3', placed({ b: { _meta: { disable: true } } }))
  assert.equal(globals.beside(off), globals.chain)
})

test('a plugin may hold another one: checked, with defaults, and closed with it', () => {
  const seen: unknown[] = []
  const inner = plugin('inner', 1, (conf, build) => {
    seen.push(conf, build.owner, build.origin)
    return { access: () => ({ status: 402 }), close: () => void seen.push('closed') }
  })
  const outer = plugin('outer', 1, (conf, build) => {
    const phases = build.phasesOf('inner', conf['inner'] as JsonObject)
    return { access: (exchange) => phases.access?.(exchange) }
  })
  const { host, faults } = hostOf(inner, outer)
  const chain = host.mergedChain('routes/1', placed({ outer: { inner: {} } }, 'services/1'))
  assert.deepEqual(runSteps(chain.access ?? [], httpExchange()), { status: 402 })
  chain.close()
  assert.deepEqual(seen, [{ n: 7 }, 'routes/1', 'services/1', 'closed'])
  host.mergedChain('routes/1', placed({ outer: { inner: { n: 'x' } } }))
  assert.match(faults[0] ?? '', /failed to check the configuration of plugin inner err: property "n" validation failed/)
})

test('a standing value is closed when the last configuration that asked for it is gone', () => {
  const closed: string[] = []
  const make: Make = (_conf, build) => {
    build.standing(
      'k',
      () => 'value',
      (value) => void closed.push(value),
    )
    return {}
  }
  const { host } = hostOf(plugin('a', 1, make))
  const [first, second] = [
    host.mergedChain('routes/1', placed({ a: {} })),
    host.mergedChain('routes/2', placed({ a: {} })),
  ]
  first.close()
  assert.deepEqual(closed, [])
  second.close()
  assert.deepEqual(closed, ['value'])
})

test('plugins read metadata and attributes, those of their own name', () => {
  const seen: unknown[] = []
  const make: Make = (_conf, build) => ({ access: () => void seen.push(build.metadata()) })
  const { host } = hostOf(plugin('a', 1, make))
  let metadata: JsonObject | undefined
  const held = { cell: { current: undefined }, release: () => {} }
  host.surround({
    consumers: { find: () => undefined, knows: () => false, named: () => undefined },
    metadata: (name) => (name === 'a' ? metadata : undefined),
    upstreamById: () => held,
    upstream: () => held,
  })
  const chain = host.mergedChain('routes/1', placed({ a: {} }))
  runSteps(chain.access ?? [], httpExchange())
  metadata = { log_format: {} }
  runSteps(chain.access ?? [], httpExchange())
  assert.deepEqual(seen, [undefined, { log_format: {} }])
})

test('a plugin whose attributes changed is made anew', () => {
  let attributes = { a: 1 }
  let made = 0
  const counting = plugin('a', 1, (_conf, build) => {
    made += 1
    assert.deepEqual(build.attributes, attributes)
    return {}
  })
  const log = { warn() {}, error() {} }
  const host = new PluginHost({
    ...{ plugins: [counting], counters: { open: () => undefined }, windows, log, compileFilter: () => () => true },
    attributes: () => structuredClone(attributes),
  })
  const first = host.mergedChain('routes/1', placed({ a: {} }))
  const second = host.mergedChain('routes/1', placed({ a: {} }), first)
  assert.equal(made, 1)
  attributes = { a: 2 }
  host.mergedChain('routes/1', placed({ a: {} }), second)
  assert.equal(made, 2)
})
