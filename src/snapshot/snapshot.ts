/** What traffic reads: one object per revision, replaced as a whole. */
import type { CertificateTable } from '../net/tls/certificates.ts'
import type { GlobalChain } from '../plugin/global-chain.ts'
import type { HttpRouter } from '../route/http-route.ts'
import type { StreamRouter } from '../route/stream-router.ts'
import type { ConsumerChains } from './consumer-chains.ts'

export interface Snapshot {
  /** Of the configuration source. */
  readonly revision: number
  readonly router: StreamRouter
  readonly http: HttpRouter
  /** The plugins of all global rules. */
  readonly globalRules: GlobalChain
  /** What plugins run for a consumer on a route. */
  readonly consumerChains: ConsumerChains
  readonly certificates: CertificateTable
}
