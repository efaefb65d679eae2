import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { addressesIn, parseHosts } from '../../../../../src/discovery/dns/hosts.ts'
import { candidates, parseResolvConf } from '../../../../../src/discovery/dns/resolv-conf.ts'
import { WatchedFile } from '../../../../../src/discovery/dns/watched-file.ts'

test('a hosts file gives all addresses of a name, whatever its case, and passes over what is no entry', () => {
  const hosts = parseHosts(`
# a comment
127.0.0.1 localhost   Loop.Test # behind
::1       localhost ip6-loopback
10.0.0.1\tloop.test
10.0.0.1\tloop.test
fe80::1%lo0 zoned
nonsense other
10.0.0.2`)
  assert.deepEqual(addressesIn(hosts, 'localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(addressesIn(hosts, 'loop.test'), ['127.0.0.1', '10.0.0.1'])
  assert.deepEqual(addressesIn(hosts, 'zoned'), [])
  assert.deepEqual(addressesIn(hosts, 'other'), [])
})

test('localhost and what is below it is loopback even when no file says so', () => {
  assert.deepEqual(addressesIn(parseHosts(''), 'localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(addressesIn(parseHosts(''), 'db.localhost'), ['127.0.0.1', '::1'])
  assert.deepEqual(addressesIn(parseHosts('10.1.1.1 localhost'), 'localhost'), ['10.1.1.1'])
  assert.deepEqual(addressesIn(parseHosts(''), 'notlocalhost'), [])
})

test('a resolv.conf gives three servers at most, the last search list and ndots', () => {
  const conf = parseResolvConf(`
nameserver 10.0.0.1 # first
nameserver ::1
nameserver not-an-address
nameserver 10.0.0.3
nameserver 10.0.0.4
domain old.test
search Svc.Cluster.local. cluster.local
options timeout:2 ndots:5
options edns0`)
  assert.deepEqual(conf.servers, ['10.0.0.1', '::1', '10.0.0.3'])
  assert.deepEqual(conf.search, ['svc.cluster.local', 'cluster.local'])
  assert.equal(conf.ndots, 5)
  assert.deepEqual(parseResolvConf(''), { servers: [], search: [], ndots: 1 })
})

test('search domains come first for names with few dots, and never for names with a trailing dot', () => {
  const conf = { search: ['a.test', 'b.test'], ndots: 2 }
  assert.deepEqual(candidates('db', conf), ['db.a.test', 'db.b.test', 'db'])
  assert.deepEqual(candidates('db.x', conf), ['db.x.a.test', 'db.x.b.test', 'db.x'])
  assert.deepEqual(candidates('db.x.y', conf), ['db.x.y', 'db.x.y.a.test', 'db.x.y.b.test'])
  assert.deepEqual(candidates('db.', conf), ['db'])
})

test('a watched file is read again when it changed, appeared or went', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'watched-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'file')
  let parsed = 0
  const file = new WatchedFile(path, (text) => {
    parsed += 1
    return text.length
  })
  assert.equal(file.value, 0)
  writeFileSync(path, 'four')
  assert.equal(file.value, 4)
  const before = parsed
  assert.equal(file.value, 4)
  assert.equal(parsed, before)
  writeFileSync(path, 'fivee')
  assert.equal(file.value, 5)
  rmSync(path)
  assert.equal(file.value, 0)
})
