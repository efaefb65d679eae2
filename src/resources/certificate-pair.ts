/**
 * Whether a certificate and its private key are usable. Names, purposes and dates are not looked at: an expired
 * certificate may be stored, as in APISIX.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { openPrivateKey } from './keyring.ts'
import type { CheckContext } from './kind.ts'
import { isReference, resolveReference } from './secret-reference.ts'

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/**
 * The message of the first fault of a chain and, if given, of the key (PEM, sealed, or a reference) of its first
 * certificate.
 */
export function pairFault(cert: string, key: string | undefined, context: CheckContext): string | undefined {
  const unset = [cert, key].find((text) => text !== undefined && resolve(text, context) === undefined)
  if (unset !== undefined) return `failed to resolve ${unset}: it is not set`
  const leaf = readChain(resolve(cert, context) as string)
  // APISIX's words, which are those of OpenSSL's function.
  if (leaf === undefined) return 'failed to parse cert: PEM_read_bio_X509_AUX() failed'
  if (key === undefined) return undefined
  const pem = openPrivateKey(context.keyring, resolve(key, context) as string)
  if (pem === undefined) return 'failed to decrypt previous encrypted key'
  const parsed = readKey(pem)
  if (parsed === undefined) return 'failed to parse key: PEM_read_bio_PrivateKey() failed'
  return leaf.checkPrivateKey(parsed) ? undefined : 'failed to parse key: it does not fit the certificate'
}

/** PEM text of a certificate or CA bundle that passed `pairFault`. */
export function certificateText(cert: string, context: CheckContext): string {
  return resolve(cert, context) ?? cert
}

/** PEM text of a private key that passed `pairFault`. */
export function privateKeyText(key: string, context: CheckContext): string {
  return openPrivateKey(context.keyring, resolve(key, context) ?? key) ?? key
}

function resolve(text: string, context: CheckContext): string | undefined {
  return isReference(text) ? resolveReference(text, context.environment) : text
}

/** The first certificate, if there is one and all parse. */
function readChain(pem: string): X509Certificate | undefined {
  try {
    return (pem.match(pemCertificate) ?? []).map((text) => new X509Certificate(text))[0]
  } catch {
    return undefined
  }
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}
