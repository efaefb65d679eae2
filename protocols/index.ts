/** Every protocol there is. A listener of streams serves the one whose name its transport names. */
import type { HttpProtocol, Protocol } from '#sdk'
import { http1 } from './http1/index.ts'
import { tcp } from './tcp/index.ts'
import { udp } from './udp/index.ts'

export const protocols: readonly Protocol[] = [tcp, udp]

/** Versions of HTTP, the one first that a connection speaks which settles on none. */
export const httpProtocols: readonly HttpProtocol[] = [http1]
