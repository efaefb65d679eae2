/** Values in a Cookie field. Names and values are taken as they stand: nothing is decoded or unquoted. */

/** The value of the cookie of that name; of several the last. Undefined: there is none. */
export function cookieValue(field: string, name: string): string | undefined {
  let found: string | undefined
  for (let at = 0; at < field.length; ) {
    const code = field.charCodeAt(at)
    if (code === 0x20 || code === 0x09) {
      at += 1
      continue
    }
    const semicolon = field.indexOf(';', at)
    const end = semicolon === -1 ? field.length : semicolon
    if (field.startsWith(name, at) && field.charCodeAt(at + name.length) === 0x3d && at + name.length < end) {
      found = field.slice(at + name.length + 1, end).trimEnd()
    }
    at = end + 1
  }
  return found
}
