/**
 * TLS towards etcd. The package etcd3 takes certificates but neither "do not verify" nor, in its log-in, a name of its own,
 * and its gRPC library names an address as the server's name, which Node refuses; so its credentials are replaced here.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Etcd3 } from 'etcd3'
import { isAddress } from './stream-listeners.ts'

export interface EtcdTls {
  /** Certificates that are trusted, PEM; undefined: those that Node brings. */
  readonly ca: Buffer | undefined
  readonly cert: Buffer | undefined
  readonly key: Buffer | undefined
  readonly verify: boolean
  /** Name that is asked for and checked instead of the address. */
  readonly sni: string | undefined
}

/** What is used of gRPC's credentials: they make the options of one `tls.connect`. */
interface Credentials {
  _createSecureConnector(
    target: unknown,
    options: object,
    call: unknown,
  ): { connectionOptions: { servername?: string } }
}
interface Grpc {
  readonly credentials: {
    createSsl(
      ca: Buffer | null,
      key: Buffer | null,
      cert: Buffer | null,
      verify: { rejectUnauthorized: boolean },
    ): Credentials
  }
}
interface Pool {
  readonly hosts: { channelCredentials: Credentials }[]
  readonly authenticator: { credentials: Credentials }
}

/** To be called before the client's first connection. */
export function speakTls(client: Etcd3, tls: EtcdTls): void {
  // the very gRPC that etcd3 uses, wherever it is installed
  const grpc = createRequire(createRequire(import.meta.url).resolve('etcd3'))('@grpc/grpc-js') as Grpc
  const credentials = grpc.credentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null, {
    rejectUnauthorized: tls.verify,
  })
  const create = credentials._createSecureConnector.bind(credentials)
  credentials._createSecureConnector = (target, options, call) => {
    const named = tls.sni === undefined ? options : { ...options, 'grpc.ssl_target_name_override': tls.sni }
    const connector = create(target, named, call)
    const { servername } = connector.connectionOptions
    // RFC 6066 3: an address is no server name. Without one, Node checks the certificate against the address
    if (servername !== undefined && isAddress(servername)) delete connector.connectionOptions.servername
    return connector
  }
  const { pool } = client as unknown as { readonly pool: Pool }
  for (const host of pool.hosts) host.channelCredentials = credentials
  pool.authenticator.credentials = credentials
}

const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/** The certificates that this system trusts; undefined where it keeps them elsewhere. */
export function systemCertificates(): Buffer | undefined {
  const file = bundles.find((each) => existsSync(each))
  return file === undefined ? undefined : readFileSync(file)
}
