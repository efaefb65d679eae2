/** Classes of bytes, by one table look-up each, and text of bytes. Nothing here knows where in a message a byte stands. */

export const tab = 0x09
export const lineFeed = 0x0a
export const carriageReturn = 0x0d
export const space = 0x20
export const colon = 0x3a

/** `tchar` of names and methods. [RFC 9110 §5.6.2] */
export const isToken = 1
/** Within a field value or a reason phrase: blanks, visible characters, `obs-text`. [RFC 9110 §5.5] */
export const isValue = 2
/** Within the first line of a request: blanks, and visible ASCII but `#`, as no target has a fragment. [RFC 9112 §3.2] */
export const isRequestLine = 4

/** The classes of each byte as bits. */
export const classes: Uint8Array = new Uint8Array(new ArrayBuffer(256))
for (let byte = 0; byte < 256; byte += 1) {
  const isVisible = byte > 0x20 && byte < 0x7f
  let bits = 0
  if (isVisible && !'"(),/:;<=>?@[\\]{}'.includes(String.fromCharCode(byte))) bits |= isToken
  if (isVisible || byte === space || byte === tab || byte >= 0x80) bits |= isValue
  if ((isVisible && byte !== 0x23) || byte === space) bits |= isRequestLine
  classes[byte] = bits
}

type Latin1Slice = (this: Uint8Array, from: number, to: number) => string
const { latin1Slice } = Buffer.prototype as unknown as { readonly latin1Slice: Latin1Slice }

/** Each byte as one character. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  return latin1Slice.call(bytes, from, to)
}

/** A blank within a line. */
export function isBlank(byte: number): boolean {
  return byte === space || byte === tab
}

/** Without blanks at its edges, which are those of HTTP alone: `trim` would take more away. [RFC 9110 §5.6.3] */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && isBlank(text.charCodeAt(from))) from += 1
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1
  return text.slice(from, to)
}

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

export function isTokenText(text: string): boolean {
  return tokenPattern.test(text)
}
