import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { ConfigError } from '../../../../src/config/config-error.ts'
import { EmbeddedSource } from '../../../../src/config/embedded.ts'
import { MemoryStore } from '../../../../src/config/resource-store.ts'
import { WriteError } from '../../../../src/config/source.ts'
import { runProgram } from '../../../support/program.ts'

function makePlace(context: TestContext) {
  const dir = mkdtempSync(path.join(tmpdir(), 'sluice-embedded-'))
  const opened: EmbeddedSource[] = []
  context.after(async () => {
    for (const source of opened) await source.close()
    rmSync(dir, { recursive: true })
  })
  const file = path.join(dir, 'data/sluice.db')
  const open = (history = 100, now?: () => number) => {
    const source = new EmbeddedSource({ file, history, ...(now === undefined ? {} : { now }) })
    opened.push(source)
    return source
  }
  return { file, open }
}

const fails = (run: () => unknown, reason: RegExp) =>
  assert.throws(run, (error) => {
    assert.ok(error instanceof ConfigError, String(error))
    assert.match(error.message, reason)
    return true
  })

test('the store has a change when the write resolves', async (context) => {
  const source = makePlace(context).open()
  const store = new MemoryStore({ check: () => undefined, log: { error() {} } })
  await source.follow(store, new AbortController().signal)
  const { resource } = await source.put('routes', '1', { a: 1 })
  assert.deepEqual(store.get('routes', '1'), resource)
  assert.equal(store.revision, resource.modifiedIndex)
  await source.delete('routes', '1')
  assert.equal(store.get('routes', '1'), undefined)
})

test('every change is remembered, the newest first, up to the limit', async (context) => {
  const source = makePlace(context).open(10)
  await source.put('routes', '1', { a: 1 })
  await source.delete('routes', '1')
  assert.deepEqual(
    source.history().map(({ revision, kind, id, value }) => [revision, kind, id, value]),
    [
      [2, 'routes', '1', undefined],
      [1, 'routes', '1', { a: 1 }],
    ],
  )
  for (let n = 0; n < 200; n++) await source.put('routes', '1', { n })
  const history = source.history(1000)
  assert.ok(history.length >= 10 && history.length < 10 + 64, String(history.length))
  assert.equal(history[0]?.value?.['n'], 199)
})

test('without a limit above zero nothing is remembered', async (context) => {
  const { open } = makePlace(context)
  const source = open(5)
  await source.put('routes', '1', {})
  await source.close()
  const next = open(0)
  await next.put('routes', '1', {})
  assert.deepEqual(next.history(), [])
})

test('what ran out while nobody was there is gone at the start', async (context) => {
  const { open } = makePlace(context)
  let now = 1_000_000
  const first = open(10, () => now)
  await first.put('routes', 'short', {}, { ttl: 60 })
  await first.put('routes', 'long', {}, { ttl: 600 })
  await first.close()
  now += 61_000
  const second = open(10, () => now)
  assert.deepEqual(
    (await second.list('routes')).map((each) => each.id),
    ['long'],
  )
  assert.equal(second.history(1)[0]?.value, undefined, 'the deletion is in the history')
})

test('the file is for its owner only', async (context) => {
  const { file, open } = makePlace(context)
  await open().put('routes', '1', {})
  for (const name of [file, `${file}-wal`, `${file}.lock`]) {
    if (existsSync(name)) assert.equal(statSync(name).mode & 0o777, 0o600, name)
  }
  assert.equal(statSync(path.dirname(file)).mode & 0o777, 0o700)
})

test('a second process is told that the file is in use, and may still read it', async (context) => {
  const { file, open } = makePlace(context)
  const source = open()
  await source.put('routes', '1', { a: 1 })
  fails(() => open(), /in use|has it open/)
  const module = JSON.stringify(path.join(import.meta.dirname, '../../../../src/config/embedded.ts'))
  const script = `import(${module}).then((m) => new m.EmbeddedSource({ file: process.argv[1], history: 1 }))`
  const outcome = await runProgram(process.execPath, ['-e', script, file])
  assert.equal(outcome.status, 1)
  assert.match(outcome.err, /another process of Sluice has it open/)
  const reader = new DatabaseSync(file, { readOnly: true })
  assert.equal(reader.prepare('SELECT count(*) AS n FROM resource').get()?.['n'], 1)
  reader.close()
  await source.close()
  await open().put('routes', '2', {})
})

test('a file that is damaged, of a later version or in no place to be is refused with its reason', async (context) => {
  const { file, open } = makePlace(context)
  await open().close()
  writeFileSync(file, 'this is no database'.repeat(1000))
  fails(() => open(), /damaged or no database/)
  writeFileSync(file, '')
  const db = new DatabaseSync(file)
  db.exec('PRAGMA user_version = 2')
  db.close()
  fails(() => open(), /later version/)
  fails(() => new EmbeddedSource({ file: '/dev/null/sluice/sluice.db', history: 0 }), /sluice\.db: /)
})

test('a page that was damaged is found at the start', async (context) => {
  const { file, open } = makePlace(context)
  const source = open()
  for (let n = 0; n < 200; n++) await source.put('routes', String(n), { text: 'x'.repeat(200) })
  await source.close()
  const { size } = statSync(file)
  const db = new DatabaseSync(file)
  const pageSize = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
  db.close()
  const { openSync, writeSync, closeSync } = await import('node:fs')
  const handle = openSync(file, 'r+')
  for (let at = pageSize * 3; at < size; at += pageSize) writeSync(handle, Buffer.alloc(64, 0xff), 0, 64, at)
  closeSync(handle)
  fails(() => open(), /damaged/)
})

test('after the close a write is refused', async (context) => {
  const source = makePlace(context).open()
  await source.close()
  await assert.rejects(
    source.put('routes', '1', {}),
    (error) => error instanceof WriteError && error.reason === 'unreachable',
  )
})
