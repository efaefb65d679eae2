/** The host of a request: `uri-host [ ":" port ]`, checked and brought to the form that routes match. [RFC 9110 §7.2] */

/** `reg-name` without percent-encoding, which nobody decodes alike, and without the comma, which joins lists. */
const hostCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+;="
const addressCharacters = '0123456789abcdefABCDEF:.'
const ofName = 1
const ofAddress = 2
const upperCase = 4

const classes = new Uint8Array(256)
for (const character of hostCharacters) {
  const code = character.charCodeAt(0)
  classes[code] = code >= 0x41 && code <= 0x5a ? ofName | upperCase : ofName
}
for (const character of addressCharacters) {
  const code = character.charCodeAt(0)
  classes[code] = (classes[code] as number) | ofAddress
}

/**
 * The host in lower case, without port, brackets, and one dot at its end. `text` is what the bytes say. Undefined: that is
 * no host with or without a port. Stricter than the grammar: never empty, no `%`, no `,`, no empty port.
 */
export function hostAt(bytes: Uint8Array, from: number, to: number, text: string): string | undefined {
  if (bytes[from] === 0x5b) return bracketedHost(bytes, from, to, text)
  let at = from
  let seen = 0
  for (; at < to; at += 1) {
    const bits = classes[bytes[at] as number] as number
    if ((bits & ofName) === 0) break
    seen |= bits
  }
  if (at === from || (at < to && !isPort(bytes, at, to))) return undefined
  if (bytes[at - 1] === 0x2e) at -= 1
  const host = at === to ? text : text.slice(0, at - from)
  return (seen & upperCase) === 0 ? host : host.toLowerCase()
}

/** As `hostAt`, of an authority that is text already. */
export function hostOf(authority: string): string | undefined {
  const bytes = Buffer.from(authority, 'latin1')
  return hostAt(bytes, 0, bytes.length, authority)
}

function bracketedHost(bytes: Uint8Array, from: number, to: number, text: string): string | undefined {
  let at = from + 1
  while (at < to && ((classes[bytes[at] as number] as number) & ofAddress) !== 0) at += 1
  if (bytes[at] !== 0x5d || at - from < 3 || at >= to) return undefined
  if (at + 1 < to && !isPort(bytes, at + 1, to)) return undefined
  return text.slice(1, at - from).toLowerCase()
}

/** From the colon on: `:0` to `:65535`. */
function isPort(bytes: Uint8Array, from: number, to: number): boolean {
  const digits = to - from - 1
  if (bytes[from] !== 0x3a || digits < 1 || digits > 5) return false
  let port = 0
  for (let at = from + 1; at < to; at += 1) {
    const digit = (bytes[at] as number) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= 65535
}
