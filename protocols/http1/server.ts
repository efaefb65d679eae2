/** The downstream half: a link becomes a connection, which makes one exchange of each request. */
import type { Beginning, HttpRoad, HttpSettings, Link } from '#sdk'
import { ServerConnection } from './connection.ts'

/** Serves the requests that come on a link, until it is closed or taken over. `listener`: what it came in by. */
export function serve(
  link: Link,
  beginning: Beginning,
  road: HttpRoad,
  settings: HttpSettings,
  listener: string,
): void {
  new ServerConnection(link, road, settings, listener).start(beginning.head)
}
