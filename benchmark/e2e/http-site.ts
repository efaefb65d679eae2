/** What the proxies of HTTP have in common: a backend, a certificate, a processor. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeCa, makeCertificate } from '../../test/support/certificates.ts'
import { temporaryFolder } from '../../test/support/home.ts'
import { startHttpBackend } from './http-backend.ts'

export interface HttpSite {
  /** The port of the backend. */
  readonly backend: number
  /** For localhost, P-256. */
  readonly cert: string
  readonly key: string
  /** Files of the same for those that want files: certificate, key, and both in one. */
  readonly files: { readonly cert: string; readonly key: string; readonly both: string }
  /** The processor that proxies are pinned to. */
  readonly cpu: number
  readonly say: (line: string) => void
  stop(): Promise<void>
}

export interface HttpSiteOptions {
  readonly loadCpu: number
  readonly proxyCpu: number
  readonly say: (line: string) => void
}

/** Rejects when the backend cannot run here. */
export async function prepareHttpSite({ loadCpu, proxyCpu, say }: HttpSiteOptions): Promise<HttpSite> {
  const { cert, key } = makeCertificate({ ca: makeCa(), names: ['localhost'] })
  const backend = await startHttpBackend(loadCpu)
  const folder = temporaryFolder('sluice-site')
  const file = (name: string, text: string): string => {
    const at = join(folder.path, name)
    writeFileSync(at, text)
    return at
  }
  return {
    backend: backend.port,
    cert,
    key,
    files: { cert: file('cert.pem', cert), key: file('key.pem', key), both: file('both.pem', cert + key) },
    cpu: proxyCpu,
    say,
    async stop() {
      await backend.stop()
      folder[Symbol.dispose]()
    },
  }
}
