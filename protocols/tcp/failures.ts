/** A stream has no way to say what went wrong: it is closed. What remains is the status for logs and metrics, nginx's numbers. */
import type { Failures, StreamWire } from '#sdk'

const status = (code: number): StreamWire => ({ status: code })

export const failures: Failures<StreamWire> = {
  absent: status(500),
  malformed: status(400),
  forbidden: status(403),
  gone: status(200),
  unavailable: status(503),
  unreachable: status(502),
  broken: status(502),
  timeout: status(502),
  internal: status(500),
  unknown_upstream: status(502),
  client_timeout: status(400),
  // A session that was carried and then fell silent did what it came for.
  idle_timeout: status(200),
  upstream_closed: status(200),
}
