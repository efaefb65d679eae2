/** From changes of resources to snapshots: only what a change touches is compiled, and what fails keeps its last good form. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachSharedCounters, createSharedCounters } from '../../../../src/base/shared-counters.ts'
import { attachSharedWindows, createSharedWindows } from '../../../../src/base/shared-windows.ts'
import type { Chain } from '../../../../src/plugin/chain.ts'
import { PluginHost } from '../../../../src/plugin/host.ts'
import type { AnyPlugin } from '../../../../src/plugin/plugin.ts'
import { httpRouter } from '../../../../src/route/http-router.ts'
import { type NormalChange, SnapshotCompiler } from '../../../../src/snapshot/compiler.ts'
import { makeCa, makeCertificate } from '../../../support/certificates.ts'
import { connectionOf } from '../../../support/connections.ts'

const windows = attachSharedWindows(createSharedWindows(64), 0)

function setUp() {
  let created = 0
  let closed = 0
  const faults: string[] = []
  const note = (_fields: object, message: string): void => void faults.push(message)
  const log = { debug() {}, info() {}, warn: note, error: note, notice() {} }
  const counting: AnyPlugin = {
    ...{ name: 'counting', priority: 1, version: 0.1, subsystem: 'stream', schema: { type: 'object' } },
    create: () => {
      created++
      return { preread: () => undefined, close: () => void closed++ }
    },
  }
  const counters = attachSharedCounters(createSharedCounters({ slots: 1024, workers: 1 }), 0)
  const host = new PluginHost({ plugins: [counting], counters, windows, log, compileFilter: () => () => true })
  const compiler = new SnapshotCompiler({
    httpRouter: httpRouter('radixtree_host_uri', [], { keepEncodedSlashes: false }),
    host,
    counters,
    certificates: { protocols: ['TLSv1.3'], ciphers: '', sessionTickets: false, ticketSecret: new Uint8Array(32) },
    trusted: undefined,
    consumerChains: 100,
    retired: (chain: Chain) => chain.close(),
    log,
  })
  let revision = 0
  return {
    compiler,
    host,
    counting,
    faults,
    created: () => created,
    closed: () => closed,
    apply: (...changes: [kind: string, id: string, value: object | undefined][]) =>
      compiler.apply(
        changes.map(([kind, id, value]) => ({ kind, id, value }) as NormalChange),
        ++revision,
      ),
    /** The nodes behind the route that a connection from this address takes; undefined: no route. */
    nodes: (remote: string): readonly string[] | undefined => {
      const route = compiler.current.router.match(connectionOf({ remote }))
      return route === undefined ? undefined : (route.upstream?.current?.fleet.endpoints ?? []).map(({ id }) => id)
    },
  }
}

const upstream = (...nodes: string[]) => ({
  ...{ type: 'roundrobin', scheme: 'tcp', hash_on: 'vars', retry_timeout: 0, pass_host: 'pass' },
  nodes: nodes.map((node) => {
    const [host, port] = node.split(':')
    return { host, port: Number(port), weight: 1, priority: 0 }
  }),
})
const route = (remote: string, more: object = {}) => ({
  ...{ id: '', server_ports: [], server_addrs: [], snis: [], priority: 0, tls_passthrough: false },
  remote_addrs: [remote],
  plugins: { counting: {} },
  ...more,
})

test('a change compiles what it touches and nothing else', () => {
  const { apply, created, closed, nodes, compiler } = setUp()
  for (let i = 1; i <= 100; i++)
    apply(['stream_routes', `${i}`, route(`10.0.0.${i}`, { upstream: upstream(`10.1.0.${i}:80`) })])
  assert.equal(created(), 100)
  const other = compiler.current.router.match(connectionOf({ remote: '10.0.0.8' }))
  apply(['stream_routes', '7', route('10.0.0.7', { upstream: upstream('10.1.1.7:80') })])
  assert.deepEqual([created(), closed()], [101, 1])
  assert.deepEqual(nodes('10.0.0.7'), ['10.1.1.7:80'])
  assert.equal(compiler.current.router.match(connectionOf({ remote: '10.0.0.8' })), other)
  apply(['stream_routes', '7', undefined])
  assert.deepEqual([created(), closed()], [101, 2])
  assert.equal(nodes('10.0.0.7'), undefined)
})

test('an upstream reaches all routes that name it without compiling one of them', () => {
  const { apply, created, nodes } = setUp()
  apply(
    ['stream_routes', '1', route('10.0.0.1', { upstream_id: 'u' })],
    ['stream_routes', '2', route('10.0.0.2', { upstream_id: 'u' })],
  )
  assert.deepEqual(nodes('10.0.0.1'), [])
  apply(['upstreams', 'u', upstream('10.1.0.1:80')])
  assert.deepEqual([nodes('10.0.0.1'), nodes('10.0.0.2')], [['10.1.0.1:80'], ['10.1.0.1:80']])
  apply(['upstreams', 'u', undefined])
  assert.deepEqual(nodes('10.0.0.1'), [])
  apply(['upstreams', 'u', upstream('10.1.0.2:80')])
  assert.deepEqual(nodes('10.0.0.2'), ['10.1.0.2:80'])
  assert.equal(created(), 2)
})

test('a service compiles the routes that name it, once, and gives them its upstream and plugins', () => {
  const { apply, created, nodes } = setUp()
  const served = { service_id: 's', plugins: {} }
  apply(
    ['services', 's', { id: 's', upstream: upstream('10.1.0.1:80') }],
    ['stream_routes', '1', route('10.0.0.1', served)],
    ['stream_routes', '2', route('10.0.0.2', { upstream: upstream('10.1.0.9:80') })],
  )
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.1:80'])
  assert.equal(created(), 1)
  apply(
    ['services', 's', { id: 's', upstream_id: 'u', plugins: { counting: {} } }],
    ['upstreams', 'u', upstream('10.1.0.2:80')],
  )
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.2:80'])
  assert.equal(created(), 2)
  apply(['services', 's', undefined])
  assert.deepEqual(nodes('10.0.0.1'), [])
})

test('a route that does not compile keeps its last good form, upstream included', () => {
  const { apply, nodes, faults } = setUp()
  apply(['stream_routes', '1', route('10.0.0.1', { upstream: upstream('10.1.0.1:80') })])
  apply(['stream_routes', '1', route('no address', { upstream: upstream('10.1.0.2:80') })])
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.1:80'])
  assert.ok(faults.some((fault) => fault.includes('its last good form stays')))
  apply(['stream_routes', '2', route('no address')])
  apply(['stream_routes', '1', undefined])
  assert.equal(nodes('10.0.0.1'), undefined)
})

test('an upstream that does not compile keeps its last good form, and the rest of the batch is applied', () => {
  const { apply, nodes } = setUp()
  apply(['upstreams', 'u', upstream('10.1.0.1:80')], ['stream_routes', '1', route('10.0.0.1', { upstream_id: 'u' })])
  apply(
    ['upstreams', 'u', { ...upstream('10.1.0.2:80'), type: 'none such' }],
    ['stream_routes', '2', route('10.0.0.2', { upstream: upstream('10.1.0.3:80') })],
  )
  assert.deepEqual([nodes('10.0.0.1'), nodes('10.0.0.2')], [['10.1.0.1:80'], ['10.1.0.3:80']])
})

test('an upstream waits for its client certificate and takes over a new one', () => {
  const { apply, compiler, nodes } = setUp()
  const ca = makeCa()
  const ssl = () => ({
    id: 'c',
    type: 'client',
    snis: [],
    status: 1,
    pairs: [makeCertificate({ ca, names: ['c.test'], client: true })],
  })
  const over = { ...upstream('10.1.0.1:80'), scheme: 'tls', tls: { client_cert_id: 'c', verify: false } }
  apply(['upstreams', 'u', over], ['stream_routes', '1', route('10.0.0.1', { upstream_id: 'u' })])
  assert.deepEqual(nodes('10.0.0.1'), [])
  apply(['ssls', 'c', ssl()])
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.1:80'])
  const context = () =>
    compiler.current.router.match(connectionOf({ remote: '10.0.0.1' }))?.upstream?.current?.tls?.context
  const first = context()
  assert.ok(first !== undefined)
  apply(['ssls', 'c', ssl()])
  assert.notEqual(context(), first)
  apply(['ssls', 'c', undefined])
  assert.ok(context() !== undefined)
})

test('endpoints follow the addresses of their names; until a new name has one, the nodes before serve', () => {
  const { apply, compiler, nodes } = setUp()
  compiler.setAddresses([['a.test', '10.1.0.1']])
  apply(['stream_routes', '1', route('10.0.0.1', { upstream: upstream('a.test:80') })])
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.1:80'])
  compiler.setAddresses([['a.test', '10.1.0.2']])
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.2:80'])
  apply(['stream_routes', '1', route('10.0.0.1', { upstream: upstream('b.test:80') })])
  compiler.setAddresses([['a.test', null]])
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.2:80'])
  compiler.setAddresses([['b.test', '10.1.0.3']])
  assert.deepEqual(nodes('10.0.0.1'), ['10.1.0.3:80'])
  compiler.setAddresses([['b.test', undefined]])
  assert.deepEqual(nodes('10.0.0.1'), [])
})

test('other plugins that are enabled make every chain anew', () => {
  const { apply, compiler, host, counting, created, closed } = setUp()
  apply(['stream_routes', '1', route('10.0.0.1')], ['stream_routes', '2', route('10.0.0.2')])
  host.enable([])
  compiler.rechain()
  assert.deepEqual([created(), closed()], [2, 2])
  host.enable([counting])
  compiler.rechain()
  assert.equal(created(), 4)
})

test('a route keeps its place among equals when it changes, and loses it when it goes', () => {
  const { apply, compiler } = setUp()
  const first = () => compiler.current.router.match(connectionOf({ remote: '10.0.0.1' }))?.id
  apply(['stream_routes', 'a', route('10.0.0.1')], ['stream_routes', 'b', route('10.0.0.1')])
  apply(['stream_routes', 'a', route('10.0.0.1', { name: 'again' })])
  assert.equal(first(), 'a')
  apply(['stream_routes', 'a', undefined], ['stream_routes', 'a', route('10.0.0.1')])
  assert.equal(first(), 'b')
})
