/** The downstream half: the connection as a whole is the exchange. */
import { type Beginning, type Link, type Road, StreamSession } from '#sdk'

/** Makes one exchange of the link. Nothing is read from it until an endpoint was reached: the kernel holds back the client. */
export function serve(link: Link, beginning: Beginning, road: Road): void {
  road.accept(new StreamSession('tcp', link, beginning.head, beginning.hello))
}
