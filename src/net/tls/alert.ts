/**
 * TLS alerts for refusing a client before any handshake was begun, when nothing is encrypted yet.
 */

/** RFC 8446 6.2, RFC 6066 3, RFC 7301 3.2. */
export const alerts = {
  unexpectedMessage: 10,
  handshakeFailure: 40,
  illegalParameter: 47,
  decodeError: 50,
  protocolVersion: 70,
  internalError: 80,
  unrecognizedName: 112,
  certificateRequired: 116,
  noApplicationProtocol: 120,
} as const

/** One record with the fatal alert of that description, in the version that every client reads at this point. */
export function alert(description: number): Uint8Array {
  // RFC 8446 5.1: the version of a record is ignored by whoever reads it; 0x0303 is what 1.2 and 1.3 send.
  return new Uint8Array([0x15, 3, 3, 0, 2, 2, description])
}
