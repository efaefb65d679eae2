/** What traffic reads: one object per revision, replaced as a whole. */
import type { CertificateTable } from '../net/tls/certificates.ts'
import type { StreamRouter } from '../route/stream-router.ts'

export interface Snapshot {
  /** Of the configuration source. */
  readonly revision: number
  readonly router: StreamRouter
  readonly certificates: CertificateTable
}
