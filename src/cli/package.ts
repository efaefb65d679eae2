/** The installed package as seen from this file, in a checkout and compiled alike: its folder and its version. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

function findRoot(): string {
  let at = import.meta.dirname
  while (!existsSync(path.join(at, 'package.json'))) at = path.dirname(at)
  return at
}

/** The folder of package.json. */
export const packageRoot = findRoot()

/** The same folder where TypeScript runs as it is; undefined where the compiled package runs. */
export const checkout = import.meta.filename.endsWith('.ts') ? packageRoot : undefined

export const version: string = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')).version
