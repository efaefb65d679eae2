/**
 * One `ssl` resource, checked and ready for handshakes: its key pairs, the clients that it trusts, its versions and its
 * ticket keys. It chooses nothing: which one serves a name is the table's business.
 */
import { constants, createHash, createPrivateKey, hkdfSync, type KeyObject, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { RE2JS } from 're2js'
import { GatewayError } from '../../errors.ts'
import type { TlsTermination } from '../wire.ts'
import { type ProtocolRange, protocolRange } from './protocol-range.ts'

/** What this needs of a normalised `ssl` resource. */
export interface SslLike {
  readonly id: string
  readonly type: 'server' | 'client'
  readonly snis: readonly string[]
  /** PEM, certificate chains leaf first. */
  readonly pairs: readonly { readonly cert: string; readonly key: string }[]
  readonly client?:
    | { readonly ca: string; readonly depth: number; readonly skip_mtls_uri_regex?: readonly string[] | undefined }
    | undefined
  readonly status: number
  readonly ssl_protocols?: readonly string[] | undefined
}

export interface CertificateDefaults {
  readonly protocols: readonly string[]
  /** OpenSSL names separated by colons, for TLS 1.2 and below; TLS 1.3 suites may be among them. */
  readonly ciphers: string
  readonly sessionTickets: boolean
  /** The same in all workers, at least 32 bytes of it random. Replacing it ends all sessions. */
  readonly ticketSecret: Uint8Array
}

export interface TerminationOptions {
  /** Tokens in order of preference. Default: none, and what the client offers is not answered. */
  readonly alpn?: readonly string[]
  /** What becomes of a client without a valid certificate where one is demanded. Default: its handshake fails. */
  readonly unverified?: 'refuse' | 'serve'
}

const modernSuites = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256'
/** OpenSSL's security level 2, under which a context is made, takes no RSA key below. */
const minRsaBits = 2048
const sessionTimeoutS = 600

/**
 * Checks every pair and the client authorities. Throws an Error with APISIX's wording for what cannot be served.
 * The context itself is built at the first handshake: half a millisecond and 30 KB that most of many thousands never need.
 */
export function compileCertificate(value: SslLike, defaults: CertificateDefaults): Certificate {
  const range = protocolRange(value.ssl_protocols ?? defaults.protocols)
  value.pairs.forEach((pair, index) => {
    checkPair(pair, index, range)
  })
  if (value.pairs.length === 0) throw new Error('no cert-key pair')
  if (value.client !== undefined) checkAuthorities(value.client.ca)
  const skips = (value.client?.skip_mtls_uri_regex ?? []).map((pattern) =>
    parse(() => RE2JS.compile(pattern), `client.skip_mtls_uri_regex: ${pattern}`),
  )
  return new Certificate(value, defaults, range, skips)
}

export class Certificate {
  readonly id: string
  readonly type: 'server' | 'client'
  /** Lower case: a name, `*.name` or `*`. */
  readonly snis: readonly string[]
  /** False: configured, but switched off. */
  readonly active: boolean
  /** True where clients must show a certificate. */
  readonly mutual: boolean
  /** Sessions made under one scope are not resumed under another: it holds the identity and what a client must show. */
  readonly scope: string
  readonly #value: SslLike
  readonly #defaults: CertificateDefaults
  readonly #range: ProtocolRange
  readonly #skips: readonly RE2JS[]
  #context: SecureContext | undefined

  /** For `compileCertificate`, which checks the parts first. */
  constructor(value: SslLike, defaults: CertificateDefaults, range: ProtocolRange, skips: readonly RE2JS[]) {
    this.id = value.id
    this.type = value.type
    this.snis = value.snis.map((sni) => sni.toLowerCase())
    this.active = value.status !== 0
    this.mutual = value.client !== undefined
    const identity = JSON.stringify([value.id, value.client?.ca ?? '', value.client?.depth ?? 0])
    this.scope = createHash('sha256').update(identity).digest('hex')
    this.#value = value
    this.#defaults = defaults
    this.#range = range
    this.#skips = skips
    this.#context = undefined
  }

  /** Some paths may be asked for without a client certificate: whether one is there is known only once they are read. */
  get hasExemptions(): boolean {
    return this.#skips.length > 0
  }

  /** Whether a path may be asked for without a client certificate. */
  exempts(path: string): boolean {
    return this.#skips.some((pattern) => pattern.matcher(path).find())
  }

  /** Made once, at first use. Throws `no_certificate` if OpenSSL refuses what looked right at compile. */
  get context(): SecureContext {
    this.#context ??= this.#create()
    return this.#context
  }

  /** How a listener terminates TLS with this certificate, in `timeoutMs` at most. Throws as `context` does. */
  termination(timeoutMs: number, options: TerminationOptions = {}): TlsTermination {
    const { client } = this.#value
    return {
      context: this.context,
      requireClient: client !== undefined && options.unverified !== 'serve',
      requestClient: client !== undefined,
      clientDepth: client?.depth ?? 0,
      sessionScope: this.scope,
      alpn: options.alpn ?? [],
      timeoutMs,
    }
  }

  #create(): SecureContext {
    const { pairs, client } = this.#value
    const { ciphers, sessionTickets } = this.#defaults
    const { minVersion, maxVersion, exclude, legacy } = this.#range
    const suites = /(^|:)TLS_/.test(ciphers) ? ciphers : `${modernSuites}:${ciphers}`
    try {
      return createSecureContext({
        cert: pairs.map((pair) => pair.cert),
        key: pairs.map((pair) => pair.key),
        // Without clients to verify an empty list: undefined would load the authorities of the web.
        ca: client === undefined ? [] : client.ca,
        ciphers: legacy ? `${suites}:@SECLEVEL=0` : suites,
        honorCipherOrder: true,
        minVersion,
        maxVersion,
        secureOptions: exclude | constants.SSL_OP_NO_RENEGOTIATION | (sessionTickets ? 0 : constants.SSL_OP_NO_TICKET),
        sessionIdContext: sessionId(this.scope),
        sessionTimeout: sessionTimeoutS,
        ticketKeys: this.#ticketKeys(),
      })
    } catch (thrown) {
      throw new GatewayError('no_certificate', `ssl ${this.id}: ${reasonOf(thrown)}`, thrown)
    }
  }

  /** The same in every worker, and useless for any other identity: a ticket is not even readable elsewhere. */
  #ticketKeys(): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#defaults.ticketSecret, '', `tls tickets ${this.scope}`, 48))
  }
}

/** A session scope as OpenSSL keeps it: 32 bytes at most. */
export function sessionId(scope: string): string {
  return scope.length <= 32 ? scope : createHash('sha256').update(scope).digest('hex').slice(0, 32)
}

function checkPair(pair: { readonly cert: string; readonly key: string }, index: number, range: ProtocolRange): void {
  const where = index === 0 ? '' : `failed to handle cert-key pair[${index}]: `
  const certificate = parse(() => new X509Certificate(pair.cert), `${where}failed to parse cert`)
  const key = parse(() => createPrivateKey(pair.key), `${where}failed to parse key`)
  if (!certificate.checkPrivateKey(key)) throw new Error(`${where}failed to parse key: it is not the certificate's`)
  const bits = rsaBits(certificate.publicKey)
  if (!range.legacy && bits < minRsaBits) throw new Error(`${where}failed to parse cert: an RSA key of ${bits} bits`)
}

function rsaBits(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY
}

function checkAuthorities(pem: string): void {
  parse(() => new X509Certificate(pem), 'failed to validate client_cert')
}

function parse<T>(read: () => T, what: string): T {
  try {
    return read()
  } catch (thrown) {
    throw new Error(`${what}: ${reasonOf(thrown)}`, { cause: thrown })
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
