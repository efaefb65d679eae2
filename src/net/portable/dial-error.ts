/**
 * What a failed attempt to connect is called. The system's code stays in the message, its error is the cause.
 */
import { type Code, GatewayError } from '../../errors.ts'
import { shownPlace } from '../address.ts'

const codeOf: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'connect_refused',
  ETIMEDOUT: 'connect_timeout',
  EMFILE: 'out_of_descriptors',
  ENFILE: 'out_of_descriptors',
}

/** `systemCode` as in `error.code` of Node's own errors, e.g. ECONNREFUSED. */
export function dialError(systemCode: string, host: string, port: number, cause?: unknown): GatewayError {
  return new GatewayError(
    codeOf[systemCode] ?? 'connect_failed',
    `connect ${systemCode} ${shownPlace(host, port)}`,
    cause,
  )
}

export function dialTimeout(host: string, port: number, timeoutMs: number): GatewayError {
  return new GatewayError('connect_timeout', `no connection to ${shownPlace(host, port)} within ${timeoutMs} ms`)
}
