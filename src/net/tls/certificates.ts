/** The door to certificates: what a snapshot compiles `ssl` resources with, and the table that it keeps them in. */
export { Certificate, type CertificateDefaults, compileCertificate, type SslLike } from './certificate.ts'
export { CertificateTable } from './certificate-table.ts'
