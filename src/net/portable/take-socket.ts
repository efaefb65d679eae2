/**
 * The way from a link back to the socket that TLS needs. Nothing else may ask for it.
 */
import type { Socket } from 'node:net'
import { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import { SocketLink } from './socket-link.ts'

/**
 * The socket under a stream link of the portable wire: paused, without listeners, allowing half-open. The link is dead
 * afterwards: its receiver hears nothing more, not even `closed`. Throws `internal` for a link of another kind.
 */
export function takeSocket(link: Link): Socket {
  if (link instanceof SocketLink) return link.take()
  throw new GatewayError('internal', 'this link has no socket to give')
}
