/**
 * Certificate authorities and certificates made at run time, in memory, from node:crypto alone: X.509 v3 in DER by hand.
 * Test equipment: it writes what the tests need and reads nothing.
 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

/** PEM text of a certificate (the leaf first, then intermediates if any) and of its private key in PKCS #8. */
export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

export interface CertificateAuthority extends CertificatePair {
  readonly name: string
  readonly type: 'rsa' | 'ec'
  /** The certificates between this authority and its root, itself included, as PEM; empty for a root. */
  readonly chain: string
}

export interface CaOptions {
  readonly name?: string
  readonly type?: 'rsa' | 'ec'
  /** Makes an intermediate authority. */
  readonly ca?: CertificateAuthority
}

export interface CertificateOptions {
  readonly ca: CertificateAuthority
  /** DNS names and numeric addresses for the subject alternative names; the first is the common name too. */
  readonly names: readonly string[]
  /** Default `ec` (P-256): quick to make. */
  readonly type?: 'rsa' | 'ec'
  /** Of RSA keys. Default 2048. */
  readonly modulusLength?: number
  /** For client authentication instead of server authentication. */
  readonly client?: boolean
  /** Defaults: an hour ago, and a day from now. */
  readonly notBefore?: Date
  readonly notAfter?: Date
}

const hourMs = 3_600_000

/** A certificate authority: a root, or an intermediate below `ca`. */
export function makeCa(options: CaOptions = {}): CertificateAuthority {
  const type = options.type ?? 'ec'
  const name = options.name ?? `Test CA ${randomBytes(4).toString('hex')}`
  const pair = makePair(type)
  const extensions = [
    extension('2.5.29.19', true, sequence(boolean(true))),
    // keyCertSign and cRLSign
    extension('2.5.29.15', true, Buffer.from([0x03, 0x02, 0x01, 0x06])),
  ]
  const issuer = options.ca ?? { name, type, key: pair.key }
  const cert = issue({ subject: name, pair, issuer, extensions })
  return { name, type, cert, key: pair.key, chain: options.ca === undefined ? '' : cert + options.ca.chain }
}

/** A certificate signed by `ca`. `cert` carries the intermediates up to the root, without the root. */
export function makeCertificate(options: CertificateOptions): CertificatePair {
  const pair = makePair(options.type ?? 'ec', options.modulusLength)
  const purpose = options.client === true ? '1.3.6.1.5.5.7.3.2' : '1.3.6.1.5.5.7.3.1'
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    // digitalSignature and keyEncipherment
    extension('2.5.29.15', true, Buffer.from([0x03, 0x02, 0x05, 0xa0])),
    extension('2.5.29.37', false, sequence(objectId(purpose))),
    extension('2.5.29.17', false, sequence(...options.names.map(alternativeName))),
  ]
  const subject = options.names[0] ?? 'nobody'
  const { notBefore, notAfter } = options
  const leaf = issue({ subject, pair, issuer: options.ca, extensions, notBefore, notAfter })
  return { cert: leaf + options.ca.chain, key: pair.key }
}

interface Pair {
  readonly publicKey: KeyObject
  readonly key: string
}

function makePair(type: 'rsa' | 'ec', modulusLength = 2048): Pair {
  const { publicKey, privateKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength })
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  return { publicKey, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

interface Issue {
  readonly subject: string
  readonly pair: Pair
  readonly issuer: { readonly name: string; readonly type: 'rsa' | 'ec'; readonly key: string }
  readonly extensions: readonly Buffer[]
  readonly notBefore?: Date | undefined
  readonly notAfter?: Date | undefined
}

function issue({ subject, pair, issuer, extensions, notBefore, notAfter }: Issue): string {
  const signer = createPrivateKey(issuer.key)
  const algorithm =
    issuer.type === 'rsa'
      ? sequence(objectId('1.2.840.113549.1.1.11'), Buffer.from([0x05, 0x00]))
      : sequence(objectId('1.2.840.10045.4.3.2'))
  const spki = pair.publicKey.export({ type: 'spki', format: 'der' })
  const subjectKeyId = keyId(spki)
  const body = sequence(
    // version 3
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    name(issuer.name),
    sequence(time(notBefore ?? new Date(Date.now() - hourMs)), time(notAfter ?? new Date(Date.now() + 24 * hourMs))),
    name(subject),
    spki,
    tagged(0xa3, sequence(...extensions, extension('2.5.29.14', false, tagged(0x04, subjectKeyId)))),
  )
  const signature = sign('sha256', body, signer)
  const bits = tagged(0x03, Buffer.concat([Buffer.from([0]), signature]))
  const der = sequence(body, algorithm, bits).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}

function keyId(spki: Buffer): Buffer {
  return createHash('sha1').update(spki).digest()
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content])
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content])
}

const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, ...parts)
const boolean = (value: boolean): Buffer => tagged(0x01, Buffer.from([value ? 0xff : 0]))

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const groups = [arc & 0x7f]
    for (let left = Math.floor(arc / 0x80); left > 0; left = Math.floor(left / 0x80))
      groups.unshift((left & 0x7f) | 0x80)
    bytes.push(...groups)
  }
  return tagged(0x06, Buffer.from(bytes))
}

/** One relative distinguished name: the common name as UTF8String. */
function name(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))))
}

/** UTCTime, which RFC 5280 4.1.2.5 wants for dates before 2050. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return tagged(0x17, Buffer.from(`${digits}Z`))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), tagged(0x04, value))
}

function alternativeName(value: string): Buffer {
  if (isIP(value) === 4) return tagged(0x87, Buffer.from(value.split('.').map(Number)))
  if (isIP(value) === 6) return tagged(0x87, addressOfV6(value))
  return tagged(0x82, Buffer.from(value))
}

function addressOfV6(value: string): Buffer {
  const [left = '', right = ''] = value.split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === '' ? [] : right.split(':')
  const groups = [...head, ...new Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}
