/** Fields by the names that variables have for them: lower case, with underscores in the place of hyphens. */
import type { HeaderList } from './header-list.ts'

/** Finds the values of all fields that a name in nginx's form stands for, joined by `, ` (of Cookie by `; `). */
export function foldedField(folded: string): (headers: HeaderList) => string | undefined {
  const lower = folded.toLowerCase()
  const usual = lower.replaceAll('_', '-')
  if (usual === 'cookie') return (headers) => headers.all('cookie').join('; ') || undefined
  if (usual === lower) return (headers) => headers.joined(usual)
  // Fields whose own names have underscores are rare, and not always let in.
  return (headers) => headers.joined(usual) ?? unusual(headers, lower)
}

function unusual(headers: HeaderList, folded: string): string | undefined {
  let whole: string | undefined
  for (let index = 0; index < headers.size; index += 1) {
    const name = headers.lowerAt(index)
    if (name.length !== folded.length || !name.includes('_') || name.replaceAll('-', '_') !== folded) continue
    const value = headers.valueAt(index)
    whole = whole === undefined ? value : `${whole}, ${value}`
  }
  return whole
}
