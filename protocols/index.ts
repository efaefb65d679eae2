/** Every protocol there is. A listener serves the one whose name its transport names. */
import type { Protocol } from '#sdk'
import { tcp } from './tcp/index.ts'
import { udp } from './udp/index.ts'

export const protocols: readonly Protocol[] = [tcp, udp]
