/**
 * How files of the user's own plugins are imported: `sluice/sdk` in them means this program's, wherever they lie, and each
 * generation is loaded anew with all the files that they import. Modules of older generations stay in memory until the thread
 * ends: that is how Node.js works.
 */
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'

const sdkName = 'sluice/sdk'
const mark = 'generation'
const sdkUrl = import.meta.resolve('#sdk')
let isHooked = false

/** The exports of a file. Rejects as `import` does. */
export async function importPlugin(file: string, generation: number): Promise<Readonly<Record<string, unknown>>> {
  if (!isHooked) hook()
  isHooked = true
  const url = pathToFileURL(file)
  url.searchParams.set(mark, String(generation))
  return (await import(url.href)) as Readonly<Record<string, unknown>>
}

function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === sdkName) return { url: sdkUrl, shortCircuit: true }
      const resolved = next(specifier, context)
      const generation = generationOf(context.parentURL)
      const isOwn = generation !== undefined && /^\.{1,2}\//.test(specifier)
      if (isOwn) return asModule({ ...resolved, url: withGeneration(resolved.url, generation) })
      return generationOf(resolved.url) === undefined ? resolved : asModule(resolved)
    },
  })
}

/** TypeScript is taken for a module whatever package.json is near, or none. */
function asModule<R extends { url: string; format?: string | null | undefined }>(resolved: R): R {
  return new URL(resolved.url).pathname.endsWith('.ts') ? { ...resolved, format: 'module-typescript' } : resolved
}

function generationOf(url: string | undefined): string | undefined {
  if (url?.startsWith('file:') !== true || !url.includes(mark)) return undefined
  return new URL(url).searchParams.get(mark) ?? undefined
}

function withGeneration(href: string, generation: string): string {
  const url = new URL(href)
  url.searchParams.set(mark, generation)
  return url.href
}
