/** Temporary folders for tests, gone when the test has ended. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface TemporaryFolder extends Disposable {
  readonly path: string
}

/** A new empty folder. */
export function temporaryFolder(name = 'sluice-test'): TemporaryFolder {
  const folder = mkdtempSync(path.join(tmpdir(), `${name}-`))
  return { path: folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
