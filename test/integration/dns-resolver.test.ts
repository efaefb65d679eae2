/** Names of nodes, resolved by a real dnsmasq that changes its mind, fails and comes back. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TimerWheel } from '../../src/base/timers.ts'
import { DnsResolver, type DnsResolverOptions } from '../../src/discovery/index.ts'
import type { Log } from '../../src/observability/log.ts'
import { dnsMissing } from '../support/servers/dns.ts'
import { DnsZone } from '../support/servers/dns-zone.ts'
import { until } from '../support/until.ts'

const skip = dnsMissing()

let zone: DnsZone
let dir: string

before(async () => {
  if (skip) return
  dir = mkdtempSync(join(tmpdir(), 'dns-test-'))
  writeFileSync(join(dir, 'hosts'), '')
  writeFileSync(join(dir, 'resolv.conf'), '')
  zone = await DnsZone.open()
})

after(async () => {
  if (skip) return
  await zone.close()
  rmSync(dir, { recursive: true })
})

interface Told {
  readonly addresses: (string | undefined)[]
  readonly stop: () => void
}

const lines: string[] = []
const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
const log: Log = { debug() {}, info: write, warn: write, error: write }

function resolverOf(options: DnsResolverOptions = {}): DnsResolver {
  lines.length = 0
  return new DnsResolver({
    servers: [zone.server],
    timeoutMs: 1_000,
    hostsPath: join(dir, 'hosts'),
    resolvConfPath: join(dir, 'resolv.conf'),
    wheel: new TimerWheel({ tickMs: 20, unref: true }),
    log,
    ...options,
  })
}

function watching(resolver: DnsResolver, host: string): Told {
  const addresses: (string | undefined)[] = []
  return { addresses, stop: resolver.watch(host, (address) => addresses.push(address)) }
}

async function tells(told: Told, ...addresses: (string | undefined)[]): Promise<void> {
  await until(() => told.addresses.length >= addresses.length, { what: `${addresses.length} addresses` })
  assert.deepEqual(told.addresses, addresses)
}

test('a name is resolved, and its address follows the record', { skip }, async () => {
  await zone.set({ 'db.zone.test': ['10.0.0.1'] })
  const resolver = resolverOf()
  const told = watching(resolver, 'DB.zone.test')
  assert.deepEqual(told.addresses, [])
  await tells(told, '10.0.0.1')
  await zone.set({ 'db.zone.test': ['10.0.0.2'] })
  await tells(told, '10.0.0.1', '10.0.0.2')
  resolver.close()
})

test('one address of several is taken, and kept while the answer contains it', { skip }, async () => {
  const all = ['10.0.1.1', '10.0.1.2', '10.0.1.3', '10.0.1.4']
  await zone.set({ 'many.zone.test': all })
  const resolver = resolverOf()
  const told = watching(resolver, 'many.zone.test')
  await until(() => told.addresses.length === 1, { what: 'an address' })
  const [first] = told.addresses
  assert.ok(first !== undefined && all.includes(first))
  const asked = zone.asked('query[A] many.zone.test')
  await until(() => zone.asked('query[A] many.zone.test') > asked + 1, { what: 'two more look-ups' })
  assert.deepEqual(told.addresses, [first])
  await zone.set({ 'many.zone.test': all.filter((address) => address !== first) })
  await until(() => told.addresses.length === 2, { what: 'another address' })
  assert.ok(told.addresses[1] !== first && all.includes(told.addresses[1] as string))
  resolver.close()
})

test('all addresses of an answer are drawn by somebody', { skip }, async () => {
  const all = ['10.0.1.1', '10.0.1.2', '10.0.1.3', '10.0.1.4']
  await zone.set({ 'many.zone.test': all })
  const drawn = new Set<string | undefined>()
  for (let round = 0; round < 200 && drawn.size < all.length; round += 1) {
    const resolver = resolverOf()
    const told = watching(resolver, 'many.zone.test')
    await until(() => told.addresses.length === 1, { what: 'an address' })
    drawn.add(told.addresses[0])
    resolver.close()
  }
  assert.deepEqual([...drawn].sort(), all)
})

test('a name that does not exist has no address until it does, and again when it is gone', { skip }, async () => {
  await zone.set({})
  const resolver = resolverOf()
  const told = watching(resolver, 'late.zone.test')
  await tells(told, undefined)
  await zone.set({ 'late.zone.test': ['10.0.0.3'] })
  await tells(told, undefined, '10.0.0.3')
  await zone.set({})
  await tells(told, undefined, '10.0.0.3', undefined)
  assert.equal(lines.length, 3, lines.join('\n'))
  assert.match(lines[0] ?? '', /does not resolve.*late\.zone\.test.*ENOTFOUND/)
  assert.match(lines[1] ?? '', /resolves again/)
  resolver.close()
})

test('while the server is down the last address stays, said once, and news arrive when it is back', {
  skip,
}, async () => {
  await zone.set({ 'db.zone.test': ['10.0.0.1'] })
  const resolver = resolverOf({ timeoutMs: 300 })
  const told = watching(resolver, 'db.zone.test')
  await tells(told, '10.0.0.1')
  await zone.down()
  await until(() => lines.length > 0, { what: 'a line about the failure' })
  assert.match(lines[0] ?? '', /its last address stays.*10\.0\.0\.1/)
  const fresh = watching(resolver, 'other.zone.test')
  await tells(fresh, undefined)
  await zone.up()
  await zone.set({ 'db.zone.test': ['10.0.0.9'], 'other.zone.test': ['10.0.0.8'] })
  await tells(told, '10.0.0.1', '10.0.0.9')
  await tells(fresh, undefined, '10.0.0.8')
  assert.equal(lines.filter((line) => /db\.zone/.test(line)).length, 2, lines.join('\n'))
  resolver.close()
})

test('an answer too long for a datagram is fetched by TCP', { skip }, async () => {
  const all = Array.from({ length: 300 }, (_, index) => `10.9.${index >> 8}.${index & 255}`)
  await zone.set({ 'long.zone.test': all })
  const drawn = new Set<string | undefined>()
  await until(
    async () => {
      const resolver = resolverOf()
      const told = watching(resolver, 'long.zone.test')
      await until(() => told.addresses.length === 1, { what: 'an address' })
      drawn.add(told.addresses[0])
      resolver.close()
      // 4 KB hold about 250 records: only a whole answer gives these.
      return [...drawn].some((address) => address?.startsWith('10.9.1.'))
    },
    { what: 'an address from the end of the answer' },
  )
})

test('AAAA records serve names that have no A record, unless IPv6 is off', { skip }, async () => {
  await zone.set({ 'six.zone.test': ['fd00::6'], 'both.zone.test': ['10.0.0.4', 'fd00::4'] })
  const resolver = resolverOf()
  const six = watching(resolver, 'six.zone.test')
  const both = watching(resolver, 'both.zone.test')
  await tells(six, 'fd00::6')
  await tells(both, '10.0.0.4')
  // The type that worked is asked for first from now on.
  const asked = zone.asked('query[A] six.zone.test')
  const aaaa = zone.asked('query[AAAA] six.zone.test')
  await until(() => zone.asked('query[AAAA] six.zone.test') > aaaa + 1, { what: 'two more look-ups' })
  assert.equal(zone.asked('query[A] six.zone.test'), asked)
  resolver.close()
  const four = resolverOf({ ipv6: false })
  const none = watching(four, 'six.zone.test')
  await tells(none, undefined)
  four.close()
})

test('an alias leads to its address', { skip }, async () => {
  const aliased = await DnsZone.open(['--cname=alias.zone.test,target.zone.test'])
  await aliased.set({ 'target.zone.test': ['10.0.0.5'] })
  const resolver = resolverOf({ servers: [aliased.server] })
  const told = watching(resolver, 'alias.zone.test')
  await until(() => told.addresses.includes('10.0.0.5'), { what: 'the address' })
  resolver.close()
  await aliased.close()
})

test('dns_resolver_valid stands in for what the records say', { skip }, async () => {
  await zone.set({ 'db.zone.test': ['10.0.0.1'] })
  const resolver = resolverOf({ validS: 3600 })
  const told = watching(resolver, 'db.zone.test')
  await tells(told, '10.0.0.1')
  const other = resolverOf()
  const quick = watching(other, 'db.zone.test')
  await tells(quick, '10.0.0.1')
  await zone.set({ 'db.zone.test': ['10.0.0.2'] })
  await tells(quick, '10.0.0.1', '10.0.0.2')
  assert.deepEqual(told.addresses, ['10.0.0.1'])
  resolver.close()
  other.close()
})

test('many who watch one name share its look-ups, and the last one to leave ends them', { skip }, async () => {
  await zone.set({ 'shared.zone.test': ['10.0.0.1'] })
  const resolver = resolverOf({ validS: 3600 })
  const told = Array.from({ length: 50 }, () => watching(resolver, 'shared.zone.test'))
  for (const one of told) await tells(one, '10.0.0.1')
  assert.equal(zone.asked('query[A] shared.zone.test'), 1)
  const late = watching(resolver, 'shared.zone.test')
  assert.deepEqual(late.addresses, [])
  await tells(late, '10.0.0.1')
  assert.equal(zone.asked('query[A] shared.zone.test'), 1)
  assert.equal(resolver.size, 1)
  for (const one of [...told, late]) one.stop()
  assert.equal(resolver.size, 0)
  resolver.close()
})

test('whoever has stopped watching hears nothing more', { skip }, async () => {
  await zone.set({ 'db.zone.test': ['10.0.0.1'] })
  const resolver = resolverOf()
  const gone = watching(resolver, 'db.zone.test')
  const literal = watching(resolver, '10.1.2.3')
  gone.stop()
  literal.stop()
  const told = watching(resolver, 'db.zone.test')
  const address = watching(resolver, '::1')
  await tells(told, '10.0.0.1')
  await tells(address, '::1')
  assert.deepEqual([gone.addresses, literal.addresses], [[], []])
  resolver.close()
})

test('no more look-ups than allowed are under way at once, and all names get their turn', { skip }, async () => {
  const names = Array.from({ length: 60 }, (_, index) => `n${index}.zone.test`)
  await zone.set(Object.fromEntries(names.map((name, index) => [name, [`10.2.0.${index}`]])))
  const resolver = resolverOf({ maxLookups: 2, validS: 3600 })
  const told = names.map((name) => watching(resolver, name))
  for (const [index, one] of told.entries()) await tells(one, `10.2.0.${index}`)
  resolver.close()
})

test('the hosts file comes before the servers and is read again when it changes', { skip }, async () => {
  await zone.set({ 'local.zone.test': ['10.0.0.1'] })
  const hostsPath = join(dir, 'hosts-of-one-test')
  writeFileSync(hostsPath, '10.3.0.1 local.zone.test\n')
  const resolver = resolverOf({ hostsPath, validS: 1 })
  const told = watching(resolver, 'local.zone.test')
  const self = watching(resolver, 'localhost')
  await tells(told, '10.3.0.1')
  await until(() => self.addresses.length === 1, { what: 'the address of localhost' })
  assert.match(self.addresses[0] ?? '', /^(127\.0\.0\.1|::1)$/)
  writeFileSync(hostsPath, '10.3.0.22 local.zone.test\n')
  await tells(told, '10.3.0.1', '10.3.0.22')
  rmSync(hostsPath)
  await tells(told, '10.3.0.1', '10.3.0.22', '10.0.0.1')
  resolver.close()
})

test('short names are looked for below the search domains, unless that is switched off', { skip }, async () => {
  await zone.set({ 'short.zone.test': ['10.0.0.6'] })
  const resolvConfPath = join(dir, 'resolv.conf-of-one-test')
  writeFileSync(resolvConfPath, 'nameserver 127.0.0.1\nsearch nothing.test zone.test\n')
  const searching = resolverOf({ resolvConfPath })
  await tells(watching(searching, 'short'), '10.0.0.6')
  searching.close()
  const strict = resolverOf({ resolvConfPath, search: false })
  await tells(watching(strict, 'short.zone.test'), '10.0.0.6')
  const told = watching(strict, 'short')
  await tells(told, undefined)
  strict.close()
})

test('a server that is no address is refused at once', () => {
  assert.throws(() => new DnsResolver({ servers: ['ns.example.test'] }))
})
