import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { ensureAdminKey, ensureUid } from '../../../../src/config/admin-key.ts'
import { loadBootConf } from '../../../../src/config/boot.ts'
import { ConfigError } from '../../../../src/config/config-error.ts'

function makeHome(context: TestContext, text?: string) {
  const home = mkdtempSync(path.join(tmpdir(), 'sluice-key-'))
  context.after(() => rmSync(home, { recursive: true }))
  const file = path.join(home, 'conf/config.yaml')
  if (text !== undefined) {
    mkdirSync(path.dirname(file))
    writeFileSync(file, text, { mode: 0o644 })
  }
  const load = () => loadBootConf({ home, env: {} })
  return { home, file, load, read: () => readFileSync(file, 'utf8') }
}

const keys = (loaded: ReturnType<typeof loadBootConf>) => loaded.conf.deployment.admin.admin_key.map((each) => each.key)

test('an empty admin key is replaced in the file, and nothing else of the file changes', (context) => {
  const text = `# who may do what
deployment:
  admin:   # the API
    admin_key:
      # the first
      - name: admin
        key: ""   # made at start
        role: admin
      - {name: viewer, key: seen, role: viewer}
plugins:   # a very long list that must not be folded ................................................................
  - a
`
  const { load, read, file } = makeHome(context, text)
  const made = ensureAdminKey(load())
  const [key = '', viewer] = keys(made)
  assert.match(key, /^[A-Za-z]{32}$/)
  assert.equal(viewer, 'seen')
  assert.equal(read(), text.replace('key: ""', `key: "${key}"`))
  assert.equal(made.text, read())
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(keys(load()), [key, 'seen'])
  assert.equal(ensureAdminKey(load()).text, read(), 'the second start changes nothing')
  assert.deepEqual(readdirSync(path.dirname(file)), ['config.yaml'])
})

test('a file without keys, or with nothing in it, gets the whole list', (context) => {
  for (const text of [
    '',
    '# only a comment\n',
    'deployment:\n',
    'deployment:\n  admin:\n',
    'apisix: {enable_ipv6: false}\n',
  ]) {
    const { load, read } = makeHome(context, text)
    const [key] = keys(ensureAdminKey(load()))
    assert.deepEqual(keys(load()), [key], JSON.stringify(read()))
    assert.ok(read().startsWith(text.startsWith('deployment') ? 'deployment:' : text.trimEnd()))
  }
})

test('where there is no file one is made, for its owner only', (context) => {
  const { load, file } = makeHome(context)
  const made = ensureAdminKey(load())
  assert.deepEqual(keys(load()), keys(made))
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('keys that are set, and instances without an Admin API, are left alone', (context) => {
  const texts = [
    'deployment: {admin: {admin_key: [{name: a, key: x, role: admin}, {name: v, key: "", role: viewer}]}}',
    'deployment: {admin: {admin_key_required: false}}',
    'apisix: {enable_admin: false}',
    'deployment: {role: data_plane, role_data_plane: {config_provider: yaml}}',
  ]
  for (const text of texts) {
    const { load, read } = makeHome(context, text)
    const loaded = load()
    assert.equal(ensureAdminKey(loaded), loaded)
    assert.equal(read(), text)
  }
})

test('a link to the file stays a link', (context) => {
  const { home, file, load } = makeHome(context, 'x: 1\n')
  const real = path.join(home, 'real.yaml')
  writeFileSync(real, 'apisix: {enable_ipv6: false}\n')
  rmSync(file)
  symlinkSync(real, file)
  const made = ensureAdminKey(load())
  assert.equal(readFileSync(real, 'utf8'), made.text)
})

test('a key that cannot be written down keeps the program from starting', (context) => {
  const { load } = makeHome(context, '')
  const loaded = load()
  const gone = { ...loaded, file: '/dev/null/sluice/config.yaml' }
  assert.throws(
    () => ensureAdminKey(gone),
    (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /deployment\.admin\.admin_key: is empty, and a generated key cannot be written/)
      return true
    },
  )
})

test('the id of an instance is made once', (context) => {
  const { home } = makeHome(context)
  const uid = ensureUid(home)
  assert.match(uid, /^[0-9a-f-]{36}$/)
  assert.equal(ensureUid(home), uid)
  writeFileSync(path.join(home, 'conf/apisix.uid'), 'my-own\n')
  assert.equal(ensureUid(home), 'my-own')
})

test('a key that is missing or null in the list is filled in', (context) => {
  for (const text of [
    'deployment:\n  admin:\n    admin_key:\n      - name: admin # mine\n        key:\n        role: admin\n',
    'deployment:\n  admin:\n    admin_key:\n      - name: admin # mine\n        role: admin\n',
    "deployment: {admin: {admin_key: [{name: a, key: '', role: admin}, {name: b, key: '', role: admin}]}} # mine\n",
  ]) {
    const { load, read } = makeHome(context, text)
    const made = ensureAdminKey(load())
    assert.deepEqual(keys(load()), keys(made))
    assert.match(read(), /# mine/)
  }
})
