/**
 * Keeps secrets out of logs: values under telling names, private keys, and credentials inside URLs are blanked.
 * It also bounds what one line may hold. It knows names and shapes only, not which plugin they belong to.
 */

const blank = '[redacted]'
const maxDepth = 6
const maxItems = 100
const maxText = 4096

/** Lower case, with `_` for `-`. */
const secretNames: ReadonlySet<string> = new Set([
  'key',
  'keys',
  'client_key',
  'private_key',
  'admin_key',
  'api_key',
  'x_api_key',
  'apikey',
  'access_key',
  'secret_key',
  'keyring',
  'password',
  'passwd',
  'passphrase',
  'pass',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'secret',
  'client_secret',
  'credentials',
  'authorization',
  'proxy_authorization',
  'cookie',
  'set_cookie',
])

const userinfo = /(:\/\/)[^/\s:@]*:[^/\s@]+@/g
const queryKey = /([?&](?:api_key|apikey|token|access_token|password|secret)=)[^&\s"]*/gi

/** Whether a value of that name must not be shown. */
export function isSecretName(name: string): boolean {
  return secretNames.has(name.toLowerCase().replaceAll('-', '_'))
}

/** The same text without private keys and without the credentials of URLs; cut at 4096 characters. */
export function redactText(text: string): string {
  if (text.includes('PRIVATE KEY-----')) return blank
  let shown = text.length > maxText ? `${text.slice(0, maxText)}… (${text.length} characters)` : text
  if (shown.includes('://')) shown = shown.replace(userinfo, `$1${blank}@`)
  if (shown.includes('=')) shown = shown.replace(queryKey, `$1${blank}`)
  return shown
}

/** A copy that may be written as JSON: bounded in depth and width, errors with their causes, secrets blanked. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return copyObject(fields, 0)
}

function copyObject(from: object, depth: number): Record<string, unknown> {
  const to: Record<string, unknown> = {}
  let count = 0
  for (const [name, value] of Object.entries(from)) {
    if (count++ === maxItems) {
      to['…'] = 'more'
      break
    }
    to[name] = value !== undefined && value !== null && isSecretName(name) ? blank : copyValue(value, depth + 1)
  }
  return to
}

function copyValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'function' || typeof value === 'symbol') return String(value).slice(0, 80)
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth) return '…'
  if (value instanceof Error) return copyError(value, depth)
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Map) return copyObject(Object.fromEntries(value), depth)
  if (value instanceof Set) return copyList([...value], depth)
  if (Array.isArray(value)) return copyList(value, depth)
  return copyObject(value, depth)
}

function copyList(list: readonly unknown[], depth: number): unknown[] {
  const copy = list.slice(0, maxItems).map((item) => copyValue(item, depth + 1))
  if (list.length > maxItems) copy.push(`… ${list.length - maxItems} more`)
  return copy
}

function copyError(error: Error, depth: number): Record<string, unknown> {
  // The own enumerable properties of an error are what tells one failed system call from another: code, syscall, address.
  const copy = { name: error.name, message: redactText(error.message), ...copyObject(error, depth) }
  const to: Record<string, unknown> = copy
  const stack = error.stack
  if (stack?.includes('\n    at ')) to['stack'] = redactText(stack)
  if (error.cause !== undefined) to['cause'] = copyValue(error.cause, depth + 1)
  return to
}
