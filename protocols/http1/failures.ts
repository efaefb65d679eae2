/** The status that a failure of the gateway's or an endpoint's is shown by: APISIX's and nginx's numbers. */
import type { Failures, HttpWire } from '#sdk'

const status = (code: number): HttpWire => ({ status: code })

export const failures: Failures<HttpWire> = {
  absent: status(404),
  malformed: status(400),
  forbidden: status(403),
  // For the log alone: nobody is left to be answered.
  gone: status(499),
  unavailable: status(503),
  unreachable: status(502),
  broken: status(502),
  timeout: status(504),
  internal: status(500),
  // nginx's numbers for what a client did wrong within TLS, or within its time.
  bad_tls: status(400),
  client_certificate: status(400),
  no_certificate: status(400),
  client_timeout: status(408),
  body_too_large: status(413),
  unknown_upstream: status(502),
  upstream_tls: status(502),
}
