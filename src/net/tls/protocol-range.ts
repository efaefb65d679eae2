/**
 * A list of TLS versions, as `ssl_protocols` writes it, turned into what a secure context is made with.
 */
import { constants } from 'node:crypto'
import type { SecureVersion } from 'node:tls'

export interface ProtocolRange {
  readonly minVersion: SecureVersion
  readonly maxVersion: SecureVersion
  /** Bits of SSL_OP_* that take out versions between the two. */
  readonly exclude: number
  /** RFC 8996: versions before 1.2 need hashes that OpenSSL only allows at security level 0. */
  readonly legacy: boolean
}

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']
const exclusions: Readonly<Record<SecureVersion, number>> = {
  TLSv1: constants.SSL_OP_NO_TLSv1,
  'TLSv1.1': constants.SSL_OP_NO_TLSv1_1,
  'TLSv1.2': constants.SSL_OP_NO_TLSv1_2,
  'TLSv1.3': constants.SSL_OP_NO_TLSv1_3,
}

/** The range of the named versions, in any order. Throws RangeError for an unknown name or an empty list. */
export function protocolRange(names: readonly string[]): ProtocolRange {
  for (const name of names) {
    if (!versions.some((version) => version === name)) throw new RangeError(`unknown TLS version ${name}`)
  }
  const wanted = versions.filter((version) => names.includes(version))
  const minVersion = wanted[0]
  const maxVersion = wanted.at(-1)
  if (minVersion === undefined || maxVersion === undefined) throw new RangeError('no TLS version is allowed')
  const between = versions.slice(versions.indexOf(minVersion), versions.indexOf(maxVersion))
  let exclude = 0
  for (const version of between) if (!wanted.includes(version)) exclude |= exclusions[version]
  return { minVersion, maxVersion, exclude, legacy: wanted.includes('TLSv1') || wanted.includes('TLSv1.1') }
}
