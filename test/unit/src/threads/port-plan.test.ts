/** The plan of ports: what config.yaml names, and what stream routes open beside it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StreamRouteValue } from '../../../../src/resources/stream-route.ts'
import { PortPlan } from '../../../../src/threads/port-plan.ts'

const route = (value: Partial<StreamRouteValue>): StreamRouteValue => ({
  id: 'r',
  server_ports: [],
  server_addrs: [],
  remote_addrs: [],
  snis: [],
  priority: 0,
  tls_passthrough: false,
  ...value,
})

function plan(scheme?: string) {
  const unreachable: [string, number][] = []
  const made = new PortPlan({
    configured: [{ transport: 'tcp', host: '127.0.0.1', port: 9100, tls: false, path: 'apisix.stream_proxy.tcp[0]' }],
    http: [],
    allowed: [{ from: 9200, to: 9299 }],
    host: '0.0.0.0',
    schemeOf: () => scheme,
    unreachable: (id, port) => unreachable.push([id, port]),
  })
  return { made, unreachable, keys: () => made.listeners.map(({ key }) => key) }
}

test('a port of config.yaml is listened on without any route, and a route on it opens nothing', () => {
  const { made, keys } = plan()
  assert.equal(made.set('r', route({ server_ports: [9100] })), false)
  assert.deepEqual(keys(), ['tcp 127.0.0.1:9100'])
})

test('a route opens an allowed port and its end closes it', () => {
  const { made, keys } = plan()
  assert.equal(made.set('r', route({ server_ports: [9200] })), true)
  assert.deepEqual(keys(), ['tcp 127.0.0.1:9100', 'tcp 0.0.0.0:9200'])
  assert.equal(made.set('r', route({ server_ports: [9200], priority: 3 })), false)
  assert.equal(made.set('r', undefined), true)
  assert.deepEqual(keys(), ['tcp 127.0.0.1:9100'])
})

test('a port that two routes name stays open until both are gone', () => {
  const { made, keys } = plan()
  made.set('a', route({ server_ports: [9201] }))
  made.set('b', route({ server_ports: [9201] }))
  made.set('a', undefined)
  assert.equal(keys().length, 2)
  made.set('b', undefined)
  assert.equal(keys().length, 1)
})

test('a port outside the allowed range is told and not opened', () => {
  const { made, unreachable, keys } = plan()
  assert.equal(made.set('r', route({ server_ports: [9300] })), false)
  assert.deepEqual(unreachable, [['r', 9300]])
  assert.equal(keys().length, 1)
})

test('the upstream decides whether the port is UDP', () => {
  const { made, keys } = plan('udp')
  made.set('r', route({ server_ports: [9100], upstream: undefined as never }))
  assert.deepEqual(keys(), ['tcp 127.0.0.1:9100'])
  made.set('r', route({ server_ports: [9202] }))
  assert.deepEqual(keys(), ['tcp 127.0.0.1:9100', 'udp 0.0.0.0:9202'])
})

test('a route with server names has TLS ended on its port, unless it passes TLS through', () => {
  const { made } = plan()
  made.set('through', route({ server_ports: [9203], snis: ['a.test'], tls_passthrough: true }))
  assert.equal(made.listeners[1]?.tls, false)
  made.set('ended', route({ server_ports: [9203], snis: ['b.test'] }))
  assert.equal(made.listeners.length, 2)
  assert.equal(made.listeners[1]?.tls, true)
})
