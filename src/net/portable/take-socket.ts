/**
 * The way from a link back to the socket that TLS needs. Nothing else may ask for it.
 */
import type { Socket } from 'node:net'
import { GatewayError } from '../../errors.ts'
import type { Link } from '../link.ts'
import { socketOf } from './handles.ts'
import { SocketLink } from './socket-link.ts'
import { TcpLink } from './tcp-link.ts'

/** A link of another wire that can leave its connection to Node. */
interface SocketGiver extends Link {
  takeSocket(): Socket
}

function givesSocket(link: Link): link is SocketGiver {
  return 'takeSocket' in link
}

/**
 * The socket under a stream link that can give it: paused, without listeners, allowing half-open. Only TLS may read
 * from it: where a link has read before, a plain read would find its buffer instead of the socket's own. The link is dead
 * afterwards: its receiver hears nothing more, not even `closed`. Throws `internal` for a link of another kind.
 */
export function takeSocket(link: Link): Socket {
  if (link instanceof TcpLink) return socketOf(link.take())
  if (link instanceof SocketLink) return link.take()
  if (givesSocket(link)) return link.takeSocket()
  throw new GatewayError('internal', 'this link has no socket to give')
}
