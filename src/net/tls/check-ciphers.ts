/** Whether OpenSSL knows a list of ciphers: contexts are made late, and a wrong list would fail at the first handshakes. */
import { createSecureContext } from 'node:tls'

/** Throws for a list, separated by colons, of which it knows nothing. */
export function checkCiphers(ciphers: string): void {
  createSecureContext({ ciphers })
}
