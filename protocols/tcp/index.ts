/** TCP: a byte stream carried through unread. TLS on either side is a property of the links, not of this protocol. */
import type { Protocol } from '#sdk'
import { RelayClient } from './client.ts'
import { failures } from './failures.ts'
import { serve } from './server.ts'

export { RelayClient } from './client.ts'
export { failures } from './failures.ts'

export const tcp: Protocol = {
  name: 'tcp',
  carrier: 'stream',
  failures,
  serve,
  connect: (link) => new RelayClient(link),
}
