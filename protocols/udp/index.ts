/** UDP: sessions of datagrams, one per client address. They share TCP's road and relay; only the links differ. */

import type { Protocol } from '#sdk'
import { failures, RelayClient } from '../tcp/index.ts'
import { serve } from './server.ts'

export const udp: Protocol = {
  name: 'udp',
  carrier: 'datagram',
  failures,
  serve,
  connect: (link) => new RelayClient(link),
}
