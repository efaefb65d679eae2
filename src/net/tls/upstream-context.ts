/**
 * Secure contexts for speaking TLS to upstreams. One context serves all upstreams that trust and show the same.
 */
import { createHash } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { loadAuthorities } from './authorities.ts'

export interface UpstreamContextOptions {
  /** The authorities to verify against; without them those of the system, or Node's own where the system has none. */
  readonly caPem?: string
  /** Shown to endpoints that ask for a client certificate; both or neither. */
  readonly clientCert?: string
  readonly clientKey?: string
}

/** Held weakly: a context lives as long as an upstream that uses it. */
const contexts = new Map<string, WeakRef<SecureContext>>()
const forgotten = new FinalizationRegistry<string>((key) => {
  if (contexts.get(key)?.deref() === undefined) contexts.delete(key)
})

/** The context for these options, the same one for the same content while it is in use. Throws for PEM that is none. */
export function upstreamContext(options: UpstreamContextOptions = {}): SecureContext {
  const { caPem, clientCert, clientKey } = options
  const key = createHash('sha256')
    .update(JSON.stringify([caPem, clientCert, clientKey]))
    .digest('base64')
  const known = contexts.get(key)?.deref()
  if (known !== undefined) return known
  if (caPem === undefined) loadAuthorities()
  const context = createSecureContext({
    ...(caPem === undefined ? {} : { ca: caPem }),
    ...(clientCert === undefined ? {} : { cert: clientCert }),
    ...(clientKey === undefined ? {} : { key: clientKey }),
    minVersion: 'TLSv1.2',
  })
  contexts.set(key, new WeakRef(context))
  forgotten.register(context, key)
  return context
}
