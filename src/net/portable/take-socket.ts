/**
 * The way from a link back to the socket that TLS needs. Nothing else may ask for it.
 */
import type { Socket } from 'node:net'
import { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import { socketOf } from './handles.ts'
import { SocketLink } from './socket-link.ts'
import { TcpLink } from './tcp-link.ts'

/**
 * The socket under a stream link of the portable wire: paused, without listeners, allowing half-open. Only TLS may read
 * from it: where a link has read before, a plain read would find its buffer instead of the socket's own. The link is dead
 * afterwards: its receiver hears nothing more, not even `closed`. Throws `internal` for a link of another kind.
 */
export function takeSocket(link: Link): Socket {
  if (link instanceof TcpLink) return socketOf(link.take())
  if (link instanceof SocketLink) return link.take()
  throw new GatewayError('internal', 'this link has no socket to give')
}
