/**
 * What is made once, at the first start, and kept: the admin key, written back into config.yaml with its comments left alone, and
 * the instance's id in conf/apisix.uid.
 */
import { randomInt, randomUUID } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Document, isMap, isScalar, isSeq, parseDocument, stringify, type YAMLSeq } from 'yaml'
import type { LoadedBoot } from './boot.ts'
import type { AdminKey } from './boot-deployment.ts'
import { servesAdmin } from './boot-rules.ts'
import { ConfigError } from './config-error.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const keyPath = ['deployment', 'admin', 'admin_key'] as const

/**
 * Where this instance has an Admin API and an admin's key is empty, makes one of 32 letters, writes it into the file and returns the
 * configuration with it; else returns what it was given. The file is then readable for its owner only. Throws ConfigError
 * where it cannot be written: a key that nobody can know would lock everybody out.
 */
export function ensureAdminKey(loaded: LoadedBoot): LoadedBoot {
  const { admin } = loaded.conf.deployment
  if (!servesAdmin(loaded.conf) || !admin.admin_key_required) return loaded
  if (!admin.admin_key.some(lacksKey)) return loaded
  const keys = admin.admin_key.map((each) => (lacksKey(each) ? { ...each, key: randomKey() } : each))
  const text = withKeys(loaded.text, keys)
  try {
    writePrivately(loaded.file, text)
  } catch (cause) {
    const place = { file: loaded.file, path: keyPath.join('.'), line: undefined }
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new ConfigError(place, `is empty, and a generated key cannot be written into the file (${code})`, cause)
  }
  const deployment = { ...loaded.conf.deployment, admin: { ...admin, admin_key: keys } }
  return { ...loaded, text, conf: { ...loaded.conf, deployment } }
}

/** The id of this instance from `conf/apisix.uid`, made there if there is none. A configured `apisix.id` goes before it. */
export function ensureUid(home: string): string {
  const file = path.join(home, 'conf', 'apisix.uid')
  try {
    const uid = readFileSync(file, 'utf8').trim()
    if (uid !== '') return uid
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const uid = randomUUID()
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, uid)
  return uid
}

function lacksKey(each: AdminKey): boolean {
  return each.role === 'admin' && each.key === ''
}

function randomKey(): string {
  return Array.from({ length: 32 }, () => letters[randomInt(letters.length)]).join('')
}

/**
 * The text with these keys. Where the file has the empty values, only they are replaced; where it does not speak of the
 * deployment, that is added at its end; else the document is written anew, with its comments but in the writer's layout.
 */
function withKeys(text: string, keys: readonly AdminKey[]): string {
  const document = parseDocument(text, { merge: true })
  const list = document.getIn(keyPath, true)
  if (isSeq(list)) return spliced(text, list, keys) ?? rewritten(document, list, keys)
  const { contents } = document
  const appendable = contents === null || (isMap(contents) && contents.flow !== true && !contents.has('deployment'))
  if (appendable) return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${added(keys)}`
  setWhole(document, keys)
  return document.toString({ lineWidth: 0 })
}

/** Undefined: not every empty key has a place of its own in the text. */
function spliced(text: string, list: YAMLSeq, keys: readonly AdminKey[]): string | undefined {
  let result = text
  // from behind, so that the places before stay where they are
  for (let index = keys.length - 1; index >= 0; index--) {
    const item = list.items[index]
    const value = isMap(item) ? item.get('key', true) : undefined
    if (isScalar(value) && value.value === keys[index]?.key) continue
    if (!isScalar(value) || value.value !== '' || !value.range) return undefined
    const [start, end] = value.range
    result = `${result.slice(0, start)}"${keys[index]?.key}"${result.slice(end)}`
  }
  return result
}

function rewritten(document: Document.Parsed, list: YAMLSeq, keys: readonly AdminKey[]): string {
  list.items.forEach((item, index) => {
    const key = keys[index]
    if (isMap(item) && key !== undefined && (item.get('key') ?? '') === '') item.set('key', key.key)
  })
  return document.toString({ lineWidth: 0 })
}

function added(keys: readonly AdminKey[]): string {
  const list = keys.map(({ name, key, role }) => ({ name, key, role }))
  return stringify({ deployment: { admin: { admin_key: list } } })
}

function setWhole(document: Document.Parsed, keys: readonly AdminKey[]): void {
  for (let depth = 1; depth < keyPath.length; depth++) {
    const above = keyPath.slice(0, depth)
    // a key with nothing behind it (`deployment:`) parses as null, which nothing can be put into
    if (document.getIn(above) === null) document.setIn(above, document.createNode({}))
  }
  document.setIn(keyPath, document.createNode(keys.map(({ name, key, role }) => ({ name, key, role }))))
}

/** By renaming, so that a crash leaves the old file or the new one; in place where the file is mounted by itself. */
function writePrivately(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true })
  const target = realPath(file)
  const draft = `${target}.${process.pid}.new`
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true })
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { force: true })
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'EBUSY' && code !== 'EXDEV' && code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error
    writeFileSync(target, text, { flush: true })
    chmodSync(target, 0o600)
  }
}

function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}
