/**
 * What a failed attempt to connect is called. The system's code stays in the message, its error is the cause.
 */
import { type Code, GatewayError } from '../../errors.ts'

const codeOf: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'connect_refused',
  ETIMEDOUT: 'connect_timeout',
  EMFILE: 'out_of_descriptors',
  ENFILE: 'out_of_descriptors',
}

/** `systemCode` as in `error.code` of Node's own errors, e.g. ECONNREFUSED. */
export function dialError(systemCode: string, host: string, port: number, cause?: unknown): GatewayError {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new GatewayError(codeOf[systemCode] ?? 'connect_failed', `connect ${systemCode} ${where}`, cause)
}

export function dialTimeout(host: string, port: number, timeoutMs: number): GatewayError {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return new GatewayError('connect_timeout', `no connection to ${where} within ${timeoutMs} ms`)
}
