/**
 * The project's source files with their imports resolved to files or packages: what the architecture rules read.
 * It knows the tree, not the rules.
 */
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Import, scan } from './source-scan.ts'

export const root = path.resolve(import.meta.dirname, '../..')

export interface SourceImport extends Import {
  /** The imported file from the root, with `/` between folders; undefined for packages and built-ins. */
  readonly file: string | undefined
  /** The package's name, or the built-in's with its `node:`; undefined for files. */
  readonly package: string | undefined
}

export interface SourceFile {
  /** From the root, with `/` between folders. */
  readonly file: string
  readonly text: string
  /** Without comments and literals, at the same offsets as `text`. */
  readonly code: string
  readonly lines: number
  readonly imports: readonly SourceImport[]
}

const packageName = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

function resolve(from: string, found: Import): SourceImport {
  const { specifier } = found
  if (specifier === '#sdk') return { ...found, file: 'src/sdk.ts', package: undefined }
  if (specifier.startsWith('.')) {
    return { ...found, file: path.posix.join(path.posix.dirname(from), specifier), package: undefined }
  }
  return { ...found, file: undefined, package: specifier.startsWith('node:') ? specifier : packageName(specifier) }
}

/** The TypeScript files below the given folders, by path. Folders that do not exist have none. */
export function sourceFiles(...folders: readonly string[]): SourceFile[] {
  return folders
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root, exclude: ['**/node_modules/**'] }))
    .map((file) => file.split(path.sep).join('/'))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(root, file), 'utf8')
      const { code, imports } = scan(text)
      const lines = text.split('\n').length - 1
      return { file, text, code, lines, imports: imports.map((found) => resolve(file, found)) }
    })
}
