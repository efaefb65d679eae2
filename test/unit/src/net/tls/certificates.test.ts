import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { CertificateTable, compileCertificate, type SslLike } from '../../../../../src/net/tls/certificates.ts'
import { type CertificatePair, makeCa, makeCertificate } from '../../../../support/certificates.ts'
import { testDefaults } from '../../../../support/tls-listener.ts'

let pair: CertificatePair
let other: CertificatePair

before(() => {
  const ca = makeCa()
  pair = makeCertificate({ ca, names: ['a.test'] })
  other = makeCertificate({ ca, names: ['b.test'] })
})

function ssl(id: string, snis: readonly string[], more: Partial<SslLike> = {}): SslLike {
  return { id, type: 'server', snis, pairs: [pair], status: 1, ...more }
}

function tableOf(...values: readonly SslLike[]): CertificateTable {
  return values.reduce(
    (table, value) => table.with(value.id, compileCertificate(value, testDefaults)),
    new CertificateTable(),
  )
}

test('an exact name comes before a wildcard, and that before the one for all', () => {
  const table = tableOf(ssl('all', ['*']), ssl('wild', ['*.A.test']), ssl('exact', ['X.a.test']))
  assert.equal(table.find('x.a.test')?.id, 'exact')
  assert.equal(table.find('y.a.test')?.id, 'wild')
  assert.equal(table.find('a.test')?.id, 'all')
  assert.equal(table.find('z.y.a.test')?.id, 'all')
  assert.equal(table.find('elsewhere')?.id, 'all')
  assert.equal(table.find(undefined), undefined)
})

test('of several for one pattern the first serves, and the next when it is gone', () => {
  let table = tableOf(ssl('1', ['a.test']), ssl('2', ['a.test']), ssl('3', ['a.test', 'b.test']))
  assert.equal(table.find('a.test')?.id, '1')
  table = table.with('1', compileCertificate(ssl('1', ['a.test'], { pairs: [other] }), testDefaults))
  assert.equal(table.find('a.test')?.id, '1', 'a change keeps its place')
  table = table.with('1', undefined)
  assert.equal(table.find('a.test')?.id, '2')
  table = table.with('2', compileCertificate(ssl('2', ['c.test']), testDefaults))
  assert.equal(table.find('a.test')?.id, '3')
  assert.equal(table.find('c.test')?.id, '2')
  table = table.with('3', undefined).with('3', undefined)
  assert.equal(table.find('a.test'), undefined)
  assert.equal(table.find('b.test'), undefined)
  assert.equal(table.size, 1)
})

test('what is switched off or made for clients serves no name, but is found by its id', () => {
  const table = tableOf(ssl('off', ['a.test'], { status: 0 }), ssl('client', ['b.test'], { type: 'client' }))
  assert.equal(table.find('a.test'), undefined)
  assert.equal(table.find('b.test'), undefined)
  assert.equal(table.get('client')?.type, 'client')
  const on = table.with('off', compileCertificate(ssl('off', ['a.test']), testDefaults))
  assert.equal(on.find('a.test')?.id, 'off')
})

test('a table never changes once it was made', () => {
  const before = tableOf(ssl('1', ['a.test']))
  const certificate = before.find('a.test')
  const after = before.with('1', undefined).with('2', compileCertificate(ssl('2', ['b.test']), testDefaults))
  assert.equal(before.find('a.test'), certificate)
  assert.equal(before.find('b.test'), undefined)
  assert.equal(after.find('a.test'), undefined)
  assert.equal(after.find('b.test')?.id, '2')
})

test('tables agree with a plain list through random changes', () => {
  let state = 42
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >> 8) % below
  }
  const compiled = new Map<string, ReturnType<typeof compileCertificate>>()
  const patterns = ['*', '*.a.test', '*.b.test', 'x.a.test', 'y.a.test', 'x.b.test', 'a.test']
  const names = ['x.a.test', 'y.a.test', 'z.a.test', 'x.b.test', 'z.b.test', 'a.test', 'q.x.a.test', 'nothing']
  const list: { id: string; snis: string[] }[] = []
  let table = new CertificateTable()
  for (let round = 0; round < 2_000; round += 1) {
    const id = `ssl-${next(12)}`
    const at = list.findIndex((entry) => entry.id === id)
    if (next(3) === 0) {
      if (at !== -1) list.splice(at, 1)
      table = table.with(id, undefined)
    } else if (at === -1) {
      const snis = [patterns[next(patterns.length)] as string]
      const key = `${id} ${snis}`
      const certificate = compiled.get(key) ?? compileCertificate(ssl(id, snis), testDefaults)
      compiled.set(key, certificate)
      list.push({ id, snis })
      table = table.with(id, certificate)
    }
    const name = names[next(names.length)] as string
    const wildcard = name.includes('.') ? `*${name.slice(name.indexOf('.'))}` : undefined
    const expected = [name, wildcard, '*']
      .map((pattern) => list.find((entry) => entry.snis.some((sni) => sni === pattern)))
      .find((entry) => entry !== undefined)
    assert.equal(table.find(name)?.id, expected?.id, `round ${round}: ${name}`)
  }
})

test('what cannot be served is refused at compile, with the reason', () => {
  const refused = (more: Partial<SslLike>, reason: RegExp): void => {
    assert.throws(() => compileCertificate(ssl('1', ['a.test'], more), testDefaults), reason)
  }
  refused({ pairs: [{ cert: 'nothing', key: pair.key }] }, /^Error: failed to parse cert: /)
  refused({ pairs: [{ cert: pair.cert, key: 'nothing' }] }, /^Error: failed to parse key: /)
  refused({ pairs: [{ cert: pair.cert, key: other.key }] }, /^Error: failed to parse key: it is not the certificate's/)
  refused(
    { pairs: [pair, { cert: 'nothing', key: '' }] },
    /^Error: failed to handle cert-key pair\[1\]: failed to parse cert/,
  )
  refused({ pairs: [] }, /no cert-key pair/)
  refused({ client: { ca: 'nothing', depth: 1 } }, /^Error: failed to validate client_cert: /)
  refused({ ssl_protocols: ['SSLv3'] }, /unknown TLS version SSLv3/)
  refused({ ssl_protocols: [] }, /no TLS version/)
})

test('a cipher list that OpenSSL does not know fails the first handshake, not the program', () => {
  const certificate = compileCertificate(ssl('7', ['a.test']), { ...testDefaults, ciphers: 'NO-SUCH-CIPHER' })
  assert.throws(() => certificate.termination(1_000), {
    name: 'GatewayError',
    code: 'no_certificate',
    message: /ssl 7/,
  })
})

test('the scope of sessions changes with the identity, the trusted authority and the depth, and with nothing else', () => {
  const scope = (more: Partial<SslLike>, id = '1'): string =>
    compileCertificate(ssl(id, ['a.test'], more), testDefaults).scope
  const plain = scope({})
  assert.equal(scope({ pairs: [other] }), plain)
  assert.notEqual(scope({}, '2'), plain)
  const mutual = scope({ client: { ca: pair.cert, depth: 1 } })
  assert.notEqual(mutual, plain)
  assert.notEqual(scope({ client: { ca: other.cert, depth: 1 } }), mutual)
  assert.notEqual(scope({ client: { ca: pair.cert, depth: 2 } }), mutual)
})

test('the context is made once', () => {
  const certificate = compileCertificate(ssl('1', ['a.test']), testDefaults)
  assert.equal(certificate.context, certificate.context)
})

test('one change among thousands leaves the rest shared and takes little time', () => {
  const certificate = compileCertificate(ssl('x', ['x.test']), testDefaults)
  let table = new CertificateTable()
  const named = (index: number): typeof certificate =>
    Object.create(certificate, { id: { value: `${index}` }, snis: { value: [`host-${index}.test`] } })
  for (let index = 0; index < 20_000; index += 1) table = table.with(`${index}`, named(index))
  assert.equal(table.size, 20_000)
  const began = performance.now()
  for (let index = 0; index < 100; index += 1) table = table.with(`${index}`, named(index + 50_000))
  const eachMs = (performance.now() - began) / 100
  assert.ok(eachMs < 5, `${eachMs} ms for one change`)
  assert.equal(table.find('host-50001.test')?.id, '50001')
  assert.equal(table.find('host-3.test'), undefined)
  assert.equal(table.find('host-19999.test')?.id, '19999')
})

test('an RSA key that is too short for OpenSSL is refused at compile', () => {
  const ca = makeCa()
  const short = makeCertificate({ ca, names: ['a.test'], type: 'rsa', modulusLength: 1024 })
  assert.throws(() => compileCertificate(ssl('1', ['a.test'], { pairs: [short] }), testDefaults), /1024 bits/)
  const legacy = { pairs: [short], ssl_protocols: ['TLSv1.1', 'TLSv1.2'] }
  assert.ok(compileCertificate(ssl('1', ['a.test'], legacy), testDefaults).context)
})
