// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text in question looks like one
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { ConfigError } from '../../../../src/config/config-error.ts'
import { FileSource } from '../../../../src/config/file.ts'
import { MemoryStore } from '../../../../src/config/resource-store.ts'
import { silentLog } from '../../../../src/observability/log.ts'
import { until } from '../../../support/until.ts'

async function following(context: TestContext, text: string, { format = 'yaml' as 'yaml' | 'json', env = {} } = {}) {
  const dir = mkdtempSync(path.join(tmpdir(), 'sluice-file-'))
  const file = path.join(dir, `apisix.${format}`)
  const reasons: string[] = []
  const log = { ...silentLog, error: (fields: Record<string, unknown>) => void reasons.push(String(fields['reason'])) }
  const source = new FileSource({ file, format, env, log, checkMs: 5 })
  const store = new MemoryStore({ check: () => undefined, log })
  const stopping = new AbortController()
  context.after(async () => {
    stopping.abort()
    await source.close()
    rmSync(dir, { recursive: true })
  })
  writeFileSync(file, text)
  utimesSync(file, 1000, 1000)
  const write = (next: string) => writeFileSync(file, next)
  await source.follow(store, stopping.signal)
  return { source, store, reasons, file, write }
}

test('items get ids, indexes, and the ids of their values as text', async (context) => {
  const { store, source, reasons } = await following(
    context,
    `
stream_routes:
  - server_port: 9100
  - id: 7
    modifiedIndex: 42
upstreams: &none []
routes: *none
consumers:
  - username: jack
  - id: jack/credentials/one
    plugins: {}
plugin_metadata:
  - id: syslog
    log_format: {}
secrets:
  - id: vault/1
plugins:
  - name: ip-restriction
    stream: true
stream_routes_conf_version: 3
#END
`,
  )
  assert.deepEqual(reasons, [])
  const of = (kind: string) => [...store.all(kind)].map(({ id, value, modifiedIndex }) => [id, value, modifiedIndex])
  assert.deepEqual(of('stream_routes'), [
    ['arr_1', { server_port: 9100, id: 'arr_1' }, 1000],
    ['7', { id: '7' }, 42],
  ])
  assert.deepEqual(of('consumers'), [
    ['jack', { username: 'jack' }, 1000],
    ['jack/credentials/one', { id: 'one', plugins: {} }, 1000],
  ])
  assert.deepEqual(of('plugin_metadata'), [['syslog', { id: 'syslog', log_format: {} }, 1000]])
  assert.deepEqual(of('secrets'), [['vault/1', { id: 'vault/1' }, 1000]])
  assert.deepEqual(source.plugins, [{ name: 'ip-restriction', stream: true }])
})

test('a variable is replaced in the text of YAML and after the parsing of JSON', async (context) => {
  const env = { PORT: '9100', NAME: 'a' }
  const yaml = await following(
    context,
    'stream_routes: [{id: "${{NAME}}", server_port: ${{PORT}}, desc: "${{PORT}}"}]\n#END',
    { env },
  )
  assert.deepEqual(yaml.store.get('stream_routes', 'a')?.value, { id: 'a', server_port: 9100, desc: '9100' })
  const json = await following(context, '{"stream_routes":[{"id":"${{NAME}}","server_port":"${{PORT}}"}]}', {
    env,
    format: 'json',
  })
  assert.deepEqual(json.store.get('stream_routes', 'a')?.value, { id: 'a', server_port: 9100 })
})

test('what is wrong with one item leaves the others', async (context) => {
  const { store, reasons } = await following(
    context,
    'stream_routes: [1, {id: a}, {id: a, n: 2}]\nupstreams: {}\nroutse: []\n#END\n',
  )
  assert.deepEqual(
    [...store.all('stream_routes')].map((each) => each.value),
    [{ id: 'a' }],
  )
  assert.deepEqual(reasons, [
    'stream_routes[0] must be an object',
    'stream_routes[2] has the id a, which an item before it has',
    'upstreams must be a list',
    'unknown key routse',
  ])
})

test('a file that is half written, broken or gone leaves the last good one running', async (context) => {
  const { store, source, reasons, write, file } = await following(context, 'stream_routes: [{id: a}]\n#END\n')
  const broken: [string, RegExp][] = [
    ['stream_routes: [{id: b}]\n', /missing valid end flag/],
    ['stream_routes: [{id: b}\n#END\n', /./],
    ['- 1\n#END', /expected an object/],
    ['stream_routes: [{id: "${{NOT_SET}}"}]\n#END', /NOT_SET/],
  ]
  for (const [text, reason] of broken) {
    const before = reasons.length
    write(text)
    await until(() => reasons.length > before, { what: `a complaint about ${text}` })
    assert.match(source.status().detail ?? '', reason)
    assert.ok(store.get('stream_routes', 'a'))
  }
  rmSync(file)
  await until(() => source.status().detail?.includes('ENOENT'))
  assert.ok(store.get('stream_routes', 'a'))
  write('stream_routes: [{id: c}]\n#END')
  await until(() => store.get('stream_routes', 'c'))
  assert.equal(store.get('stream_routes', 'a'), undefined)
  assert.equal(source.status().detail, undefined)
})

test('a file that cannot be used at the start is an error with its reason, without what it holds', async (context) => {
  await assert.rejects(following(context, 'a: 1\n'), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.equal(error.message, 'apisix.yaml: missing valid end flag: the last line must be #END')
    return true
  })
  await assert.rejects(following(context, '{"key": "secret", x}', { format: 'json' }), (error) => {
    assert.ok(error instanceof ConfigError && !error.message.includes('secret'), String(error))
    return true
  })
})

test('an empty file with its end is a state of nothing', async (context) => {
  const { store } = await following(context, '#END')
  assert.deepEqual(store.kinds(), [])
})
