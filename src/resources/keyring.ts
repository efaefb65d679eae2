/**
 * Encryption at rest, byte for byte APISIX's: AES in CBC mode with the first 16 bytes of the key as IV, PKCS #7,
 * base64. That hides equal prefixes from nobody: it keeps keys out of backups, and is no more than that.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'

/** 16 bytes of text make AES-128, 32 make AES-256. */
function cipherOf(key: string): { readonly name: string; readonly key: Buffer; readonly iv: Buffer } {
  const bytes = Buffer.from(key)
  if (bytes.length !== 16 && bytes.length !== 32) {
    throw new Error(`data_encryption.keyring: a key has ${bytes.length} bytes; 16 or 32 are needed`)
  }
  return { name: `aes-${bytes.length * 8}-cbc`, key: bytes, iv: bytes.subarray(0, 16) }
}

/** With the first key of the ring; an empty ring leaves the text as it is. */
export function encrypt(keyring: readonly string[], text: string): string {
  const first = keyring[0]
  if (first === undefined) return text
  const { name, key, iv } = cipherOf(first)
  const cipher = createCipheriv(name, key, iv)
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]).toString('base64')
}

/** By whichever key of the ring opens it to something that `plausible` accepts; undefined: by none. */
export function decrypt(
  keyring: readonly string[],
  cipherText: string,
  plausible: (text: string) => boolean = () => true,
): string | undefined {
  const bytes = Buffer.from(cipherText, 'base64')
  if (bytes.length === 0 || bytes.length % 16 !== 0) return undefined
  for (const candidate of keyring) {
    const { name, key, iv } = cipherOf(candidate)
    const decipher = createDecipheriv(name, key, iv)
    try {
      const text = Buffer.concat([decipher.update(bytes), decipher.final()]).toString('utf8')
      if (plausible(text)) return text
    } catch {
      // Wrong padding: the text was sealed with another key of the ring.
    }
  }
  return undefined
}

const isPem = (text: string) => text.startsWith('---')

/** A private key as it is stored: PEM text is encrypted, anything else (already sealed, a reference) is left alone. */
export function sealPrivateKey(keyring: readonly string[], key: string): string {
  return isPem(key) ? encrypt(keyring, key) : key
}

/** The PEM text of a stored private key; undefined: no key of the ring opens it. */
export function openPrivateKey(keyring: readonly string[], key: string): string | undefined {
  return isPem(key) ? key : decrypt(keyring, key, isPem)
}

/** The control characters that texts have; with others, or with bytes that are no UTF-8, it was no text that was sealed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const notText = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffd]/

/** A text that was sealed, or that may never have been: one that no key opens is returned as it is. */
export function openText(keyring: readonly string[], text: string): string {
  return decrypt(keyring, text, (opened) => !notText.test(opened)) ?? text
}
