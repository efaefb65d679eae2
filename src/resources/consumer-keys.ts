/** Which plugins identify a consumer, by which field, and whether a key is taken. It knows nothing of their schemas. */
import type { Json, JsonObject } from '../base/json.ts'
import { encrypt } from './keyring.ts'
import type { CheckContext } from './kind.ts'
import { isReference } from './secret-reference.ts'

/** Plugin → the field that no two consumers may share; undefined: the plugin authenticates without one. */
const keyFields: Readonly<Record<string, string | undefined>> = {
  'key-auth': 'key',
  'basic-auth': 'username',
  'jwt-auth': 'key',
  'hmac-auth': 'key_id',
  'ldap-auth': 'user_dn',
  'ldap-auth-advanced': 'user_dn',
  'jwe-decrypt': undefined,
  'multi-auth': undefined,
  'wolf-rbac': undefined,
}

/** Of the plugins of APISIX. */
export function isAuthPlugin(name: string): boolean {
  return Object.hasOwn(keyFields, name)
}

/**
 * The message if another consumer, or a credential of another consumer, has a key of `plugins`. Linear in the number
 * of consumers: a write waits for one pass over them. References to secrets are not compared.
 */
export function duplicateKeyFault(
  plugins: JsonObject,
  username: string,
  { lookup, keyring }: Pick<CheckContext, 'lookup' | 'keyring'>,
): string | undefined {
  for (const [name, conf] of Object.entries(plugins)) {
    const key = keyOf(name, conf)
    if (key === undefined) continue
    // Those in the store may be sealed, by any key of the ring; the same text is the same sealed text.
    const forms = new Set([key, ...keyring.map((each) => encrypt([each], key))])
    for (const { id, value } of lookup.all('consumers')) {
      const [owner, , credential] = id.split('/')
      const others = value['plugins'] as JsonObject | undefined
      if (owner === username || others === undefined || !Object.hasOwn(others, name)) continue
      if (!forms.has(keyOf(name, others[name] as Json) ?? '')) continue
      const found = credential === undefined ? `consumer: ${owner}` : `credential: ${credential} of consumer: ${owner}`
      return `duplicate key of plugin ${name} found with ${found}`
    }
  }
  return undefined
}

function keyOf(name: string, conf: Json): string | undefined {
  const field = Object.hasOwn(keyFields, name) ? keyFields[name] : undefined
  if (field === undefined || conf === null || typeof conf !== 'object') return undefined
  const key = (conf as JsonObject)[field]
  return typeof key === 'string' && !isReference(key) ? key : undefined
}
