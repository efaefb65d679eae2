/**
 * Whose certificates this thread believes where nothing else is said: upstreams without authorities of their own, and what
 * plugins connect to. Set as Node's defaults, which all contexts share: a store of its own would cost each some hundred KB.
 */
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

let settled = false

/** The certificates of PEM text, each for itself; text that has none is handed back for others to find fault with. */
export function certificatesIn(pem: string): readonly string[] {
  return pem.match(/-----BEGIN (?:X509 )?CERTIFICATE-----.*?-----END (?:X509 )?CERTIFICATE-----/gs) ?? [pem]
}

/** Only the authorities of this PEM text, from now on. Throws for PEM that is none. */
export function trustAuthorities(pem: string): void {
  setDefaultCACertificates(certificatesIn(pem))
  settled = true
}

/**
 * To be called before a connection that verifies: those of the system, or Node's own where it has none, unless others were
 * named. Reading them takes a while, so it is done once, and not by threads that verify nothing.
 */
export function loadAuthorities(): void {
  if (settled) return
  settled = true
  const system = getCACertificates('system')
  if (system.length > 0) setDefaultCACertificates(system)
}
