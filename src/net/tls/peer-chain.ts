/**
 * How long the chain of a peer's certificate is. Whether it is trusted OpenSSL has said before; how many authorities it may
 * pass through Node cannot tell it.
 */
import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate } from 'node:tls'

/** Chains longer than what OpenSSL itself follows do not occur. */
const maxLength = 100

/**
 * The authorities between a verified certificate and its self-signed root; undefined if the way there cannot be followed.
 * Each signature is checked, since the chain shown may hold certificates that verification did not go through.
 */
export function intermediatesOf(peer: DetailedPeerCertificate): number | undefined {
  let certificate = new X509Certificate(peer.raw)
  let shown = peer
  for (let length = 0; length < maxLength; length += 1) {
    if (certificate.verify(certificate.publicKey)) return Math.max(0, length - 1)
    const above: DetailedPeerCertificate | undefined = shown.issuerCertificate
    if (above === undefined || above === shown) return undefined
    const issuer = new X509Certificate(above.raw)
    if (!certificate.verify(issuer.publicKey)) return undefined
    certificate = issuer
    shown = above
  }
  return undefined
}
