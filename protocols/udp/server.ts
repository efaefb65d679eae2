/** The downstream half: all datagrams of one client address, for as long as they keep coming, are one exchange. */
import { type Beginning, type Link, type Road, StreamSession } from '#sdk'

/** Makes one exchange of the session. Its first datagram is delivered once a node's socket stands. */
export function serve(link: Link, _beginning: Beginning, road: Road): void {
  road.accept(new StreamSession('udp', link))
}
