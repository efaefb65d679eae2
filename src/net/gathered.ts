/** Text and bytes as one block that can be given away: what a link sends when it has no better place to gather them in. */

/** `text` is latin1: each of its characters is one byte. The result shares no memory with `body`. */
export function gathered(text: string, body: Uint8Array | undefined): Uint8Array {
  if (body === undefined) return Buffer.from(text, 'latin1')
  const block = Buffer.allocUnsafeSlow(text.length + body.length)
  block.write(text, 0, 'latin1')
  block.set(body, text.length)
  return block
}
