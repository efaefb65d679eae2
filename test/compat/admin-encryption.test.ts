/** Secrets in plugins' configurations: encrypted in the store and in replies to writes, readable in GET. */
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { MemoryStore } from '../../src/config/resource-store.ts'
import { silentLog } from '../../src/observability/log.ts'
import { createCatalogue } from '../../src/plugin/catalogue.ts'
import { kinds } from '../../src/resources/index.ts'
import { createResourceCheck } from '../../src/snapshot/check.ts'
import { keyring, startAdminFor } from '../support/admin-server.ts'
import { checkOf, pluginOf } from '../support/resource-checks.ts'

const text = { type: 'string' }
const keyAuth = pluginOf('key-auth', 'http', {
  type: 'auth',
  schema: { type: 'object', properties: { header: { type: 'string', default: 'apikey' } } },
  consumerSchema: {
    type: 'object',
    properties: { key: text, lower: { type: 'string', default: 'x' } },
    required: ['key'],
  },
  encryptedFields: ['key'],
})
const csrf = pluginOf('csrf', 'http', {
  schema: { type: 'object', properties: { key: { type: 'string', maxLength: 8 }, name: text } },
  metadataSchema: { type: 'object', properties: { key: text } },
  encryptedFields: ['key'],
})
const catalogue = createCatalogue({ built: [keyAuth, csrf] })

/** By APISIX's own recipe, not by ours. */
function sealed(plain: string, key = keyring[0] as string): string {
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(key), Buffer.from(key))
  return Buffer.concat([cipher.update(plain), cipher.final()]).toString('base64')
}

const upstream = { nodes: { '127.0.0.1:80': 1 } }
const route = { uri: '/', upstream, plugins: { csrf: { key: 'secret', name: 'n' } } }

test('a reply to a write shows what is stored, GET shows the secret', async (t) => {
  const admin = await startAdminFor(t, { catalogue })
  const put = await admin.call('PUT', '/routes/1', route)
  assert.equal(put.status, 201)
  assert.deepEqual((put.json() as { value: typeof route }).value.plugins, {
    csrf: { key: sealed('secret'), name: 'n' },
  })
  assert.deepEqual(admin.store.get('routes', '1')?.value['plugins'], { csrf: { key: sealed('secret'), name: 'n' } })
  const got = (await admin.call('GET', '/routes/1')).json() as { value: typeof route }
  assert.deepEqual(got.value.plugins, route.plugins)
  const list = (await admin.call('GET', '/routes')).json() as { list: { value: typeof route }[] }
  assert.deepEqual(list.list[0]?.value.plugins, route.plugins)
  const posted = (await admin.call('POST', '/routes', route)).json() as { value: typeof route }
  assert.equal(posted.value.plugins.csrf.key, sealed('secret'))
})

test('PATCH merges into the readable value and seals the result once', async (t) => {
  const admin = await startAdminFor(t, { catalogue })
  await admin.call('PUT', '/routes/1', route)
  const patched = await admin.call('PATCH', '/routes/1', { plugins: { csrf: { name: 'other' } } })
  assert.deepEqual((patched.json() as { value: typeof route }).value.plugins, {
    csrf: { key: sealed('secret'), name: 'other' },
  })
  await admin.call('PATCH', '/routes/1/plugins/csrf/key', '"newer"')
  const got = (await admin.call('GET', '/routes/1')).json() as { value: typeof route }
  assert.deepEqual(got.value.plugins.csrf, { key: 'newer', name: 'other' })
})

test('limits of a field are those of the text itself, however long it is when sealed', async (t) => {
  const admin = await startAdminFor(t, { catalogue })
  const long = await admin.call('PUT', '/routes/1', { ...route, plugins: { csrf: { key: '123456789' } } })
  assert.match(long.text, /string too long, expected at most 8, got 9/)
  const value = { ...route, id: '1', plugins: { csrf: { key: sealed('secret') } } }
  assert.equal(checkLoaded('routes', '1', value), undefined)
})

test('consumers, credentials and metadata are sealed too', async (t) => {
  const admin = await startAdminFor(t, { catalogue })
  await admin.call('PUT', '/consumers', { username: 'jack', plugins: { 'key-auth': { key: 'one' } } })
  await admin.call('PUT', '/consumers/jack/credentials/c', { plugins: { 'key-auth': { key: 'two' } } })
  await admin.call('PUT', '/plugin_metadata/csrf', { key: 'three' })
  const stored = (kind: string, id: string) => admin.store.get(kind, id)?.value
  assert.deepEqual(stored('consumers', 'jack')?.['plugins'], { 'key-auth': { key: sealed('one') } })
  assert.deepEqual(stored('consumers', 'jack/credentials/c')?.['plugins'], { 'key-auth': { key: sealed('two') } })
  assert.deepEqual(stored('plugin_metadata', 'csrf'), { id: 'csrf', key: sealed('three') })
  const metadata = (await admin.call('GET', '/plugin_metadata/csrf')).json() as { value: object }
  assert.deepEqual(metadata.value, { id: 'csrf', key: 'three' })
})

test('a key that is taken is found though it is sealed, by whichever key of the ring', async (t) => {
  const admin = await startAdminFor(t, { catalogue })
  await admin.call('PUT', '/consumers', { username: 'jack', plugins: { 'key-auth': { key: 'one' } } })
  const again = await admin.call('PUT', '/consumers', { username: 'joe', plugins: { 'key-auth': { key: 'one' } } })
  assert.equal(again.text, '{"error_msg":"duplicate key of plugin key-auth found with consumer: jack"}\n')
  const old = { id: 'ann', username: 'ann', plugins: { 'key-auth': { key: sealed('two', keyring[1]) } } }
  await admin.source.put('consumers', 'ann', old, {})
  const third = await admin.call('PUT', '/consumers', { username: 'joe', plugins: { 'key-auth': { key: 'two' } } })
  assert.equal(third.text, '{"error_msg":"duplicate key of plugin key-auth found with consumer: ann"}\n')
})

test('a reference to a secret stays readable', async (t) => {
  const admin = await startAdminFor(t, { catalogue })
  const put = await admin.call('PUT', '/routes/1', { ...route, plugins: { csrf: { key: '$env://A' } } })
  assert.equal((put.json() as { value: typeof route }).value.plugins.csrf.key, '$env://A')
})

const store = new MemoryStore({ check: () => undefined, log: silentLog })
const environment = (name: string): string | undefined => (name === 'KEY' ? 'from env' : undefined)
const check = createResourceCheck({ kinds, catalogue, lookup: store, keyring, pluginKeyring: keyring, environment })
const checkLoaded = check.checkLoaded

for (const [name, stored] of [
  ['sealed by the first key', sealed('secret')],
  ['sealed by an older key', sealed('secret', keyring[1])],
  ['never sealed', 'secret'],
] as const) {
  test(`workers get the text of what is stored ${name}`, () => {
    const normal = check.normalize('routes', '1', { ...route, plugins: { csrf: { key: stored } } })
    assert.deepEqual(normal['plugins'], { csrf: { key: 'secret' } })
  })
}

test('what looks sealed and is not stays as it is', () => {
  for (const key of ['YWJjZGVmZ2hpamtsbW5vcA==', 'AAAAAAAAAAAAAAAAAAAAAA==', 'x']) {
    const value = { username: 'jack', plugins: { 'key-auth': { key } } }
    const normal = check.normalize('consumers', 'jack', value)
    assert.deepEqual(normal['plugins'], { 'key-auth': { key, lower: 'x' } })
  }
})

test('in files secrets are written as they are, and nothing is opened', () => {
  const files = checkOf({ plugins: [keyAuth, csrf], keyring })
  const value = { ...route, plugins: { csrf: { key: sealed('secret') } } }
  assert.match(files.checkLoaded('routes', '1', value) ?? '', /string too long/)
  assert.deepEqual(files.seal('routes', '1', route), route)
})

test('references are resolved in whatever workers get: routes, consumers, metadata', () => {
  const plugins = { csrf: { key: '$env://KEY' } }
  assert.deepEqual(check.normalize('routes', '1', { ...route, plugins })['plugins'], { csrf: { key: 'from env' } })
  const consumer = { username: 'jack', plugins: { 'key-auth': { key: '$ENV://KEY' } } }
  assert.deepEqual(check.normalize('consumers', 'jack', consumer)['plugins'], {
    'key-auth': { key: 'from env', lower: 'x' },
  })
  const metadata = { id: 'csrf', key: '$env://KEY' }
  assert.deepEqual(check.normalize('plugin_metadata', 'csrf', metadata), { key: 'from env' })
})

test('what the schema says of a text is not said of a reference that leads nowhere yet', () => {
  const plugins = { csrf: { key: '$env://NOT_SET_ANYWHERE' } }
  assert.equal(check.check('routes', '1', { ...route, plugins }), undefined)
  assert.match(check.check('routes', '1', { ...route, plugins: { csrf: { key: 1 } } }) ?? '', /wrong type/)
  const mixed = { csrf: { key: '$env://NOT_SET', name: 1 } }
  assert.match(check.check('routes', '1', { ...route, plugins: mixed }) ?? '', /property "name" validation failed/)
  const plain = { csrf: { key: 'longer than 8', name: '$env://NOT_SET' } }
  assert.match(
    check.check('routes', '1', { ...route, plugins: plain }) ?? '',
    /"key" validation failed: string too long/,
  )
})

test('a reference to a secret manager is refused by name', async (t) => {
  const admin = await startAdminFor(t, { catalogue })
  const answer = await admin.call('PUT', '/routes/1', { ...route, plugins: { csrf: { key: '$secret://vault/1/a/b' } } })
  assert.equal(answer.status, 400)
  assert.match(answer.text, /plugins\.csrf\.key: references to secret managers are not built in this version/)
})
