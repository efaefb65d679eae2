/** Names and values as query strings and forms write them: `a=1&b=x+y&flag`. Found one by one, decoded only when they fit. */

const percent = 0x25
const plus = 0x2b
const equals = 0x3d

/** The value of the first of that name; true: it is there without `=`; undefined: it is not. */
export function formValue(text: string, name: string): string | true | undefined {
  for (let at = 0; at < text.length; ) {
    const end = endOf(text, at)
    const value = valueIn(text, at, end, name)
    if (value !== undefined) return value
    at = end + 1
  }
  return undefined
}

/** Names and values as they are written, in order, `max` of them at most. */
export function formPairs(text: string, max: number): readonly (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = []
  for (let at = 0; at < text.length && pairs.length < max; ) {
    const end = endOf(text, at)
    const pair = text.slice(at, end)
    const mark = pair.indexOf('=')
    if (pair !== '') pairs.push(mark === -1 ? [pair, ''] : [pair.slice(0, mark), pair.slice(mark + 1)])
    at = end + 1
  }
  return pairs
}

/** A plus sign is a blank; escapes are bytes of UTF-8. What is no escape stays as it is. */
export function decodeForm(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return decodeLoosely(spaced)
  }
}

/** For escapes that are none, or not of UTF-8: what cannot be decoded is replaced or stays, the rest counts. */
function decodeLoosely(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString())
}

function endOf(text: string, from: number): number {
  const end = text.indexOf('&', from)
  return end === -1 ? text.length : end
}

/** Of the pair from `from` to `end`. Names are decoded only if they hold something to decode. */
function valueIn(text: string, from: number, end: number, name: string): string | true | undefined {
  const after = from + name.length
  const isPlain = from < end && after <= end && text.startsWith(name, from)
  if (isPlain && after === end) return true
  if (isPlain && text.charCodeAt(after) === equals) return decodeForm(text.slice(after + 1, end))
  let isEncoded = false
  let at = from
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at)
    if (code === equals) break
    if (code === percent || code === plus) isEncoded = true
  }
  if (!isEncoded || decodeForm(text.slice(from, at)) !== name) return undefined
  return at === end ? true : decodeForm(text.slice(at + 1, end))
}
