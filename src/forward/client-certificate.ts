/**
 * Whether a request that came by TLS may be served as far as client certificates go: those that its Host asks for were shown,
 * on a connection that was made for that very name. The handshake itself has verified what was shown.
 */
import type { HttpSession } from '../exchange/http-session.ts'
import type { CertificateTable } from '../net/tls/certificates.ts'

/** Why it may not, as a sentence for the log; undefined: it may. */
export function clientCertificateFault(session: HttpSession, certificates: CertificateTable): string | undefined {
  const { tls } = session.downstream
  if (tls === undefined) return undefined
  const { host, path } = session.request
  const certificate = certificates.find(host === '' ? tls.serverName : host)
  if (certificate === undefined || !certificate.mutual) return undefined
  if (tls.peer === undefined) {
    return certificate.exempts(path) ? undefined : 'no client certificate was shown'
  }
  // What was verified for one name says nothing about another, which may trust other authorities.
  if (host === tls.serverName) return undefined
  return `the client certificate was verified for ${tls.serverName ?? 'no name'}, and the host is ${host}`
}
