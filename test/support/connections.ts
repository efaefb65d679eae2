/** Connections as routers see them: real exchanges over links that lead nowhere. And routes that only have a rule. */
import { StreamSession } from '../../src/exchange/stream-session.ts'
import type { Link, TlsInfo } from '../../src/net/link.ts'
import { emptyChain } from '../../src/plugin/chain.ts'
import type { Route, StreamRule } from '../../src/route/router.ts'

export interface ConnectionShape {
  readonly port?: number
  readonly remote?: string
  readonly local?: string
  /** As TLS that was terminated here would tell it. */
  readonly serverName?: string | undefined
  /** As a ClientHello that was only read would tell it. */
  readonly preread?: string | undefined
}

export function linkOf(shape: ConnectionShape = {}): Link {
  const tls: TlsInfo | undefined =
    shape.serverName === undefined
      ? undefined
      : {
          serverName: shape.serverName,
          alpn: undefined,
          protocol: 'TLSv1.3',
          cipher: undefined,
          resumed: false,
          peer: undefined,
        }
  const nothing = (): void => undefined
  return {
    carrier: 'stream',
    remoteAddress: shape.remote ?? '192.0.2.1',
    remotePort: 40_000,
    localAddress: shape.local ?? '127.0.0.1',
    localPort: shape.port ?? 9100,
    tls,
    bytesRead: 0,
    bytesWritten: 0,
    pending: 0,
    closed: true,
    open: nothing,
    pause: nothing,
    resume: nothing,
    send: () => false,
    forward: () => false,
    sendText: () => false,
    end: nothing,
    close: nothing,
    reset: nothing,
  }
}

export function connectionOf(shape: ConnectionShape = {}): StreamSession {
  const hello = shape.preread === undefined ? undefined : { serverName: shape.preread, alpn: [] }
  return new StreamSession('tcp', linkOf(shape), new Uint8Array(0), hello)
}

/** `order` is the place in load order. */
export function routeOf(id: string, order: number, rule: Partial<StreamRule> = {}): Route {
  return {
    id,
    name: undefined,
    serviceId: undefined,
    labels: undefined,
    rule: {
      serverPorts: [],
      serverAddrs: [],
      remoteAddrs: [],
      snis: [],
      vars: undefined,
      priority: 0,
      order,
      passthrough: false,
      ...rule,
    },
    chain: emptyChain,
    upstream: undefined,
  }
}
