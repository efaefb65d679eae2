import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { LastGood, type LastGoodState } from '../../../../src/config/last-good.ts'

function makePlace(context: TestContext) {
  const dir = mkdtempSync(path.join(tmpdir(), 'sluice-last-good-'))
  context.after(() => rmSync(dir, { recursive: true }))
  const file = path.join(dir, 'data/last-good.json')
  const errors: unknown[] = []
  const open = (origin = 'here', delayMs = 60_000) =>
    new LastGood({ file, origin, delayMs, log: { error: (fields) => void errors.push(fields) } })
  return { file, errors, open }
}

const state = (revision: number): LastGoodState => ({ revision, cluster: 'c', resources: [] })

test('what was kept is read back by the same origin only', async (context) => {
  const { open, errors, file } = makePlace(context)
  assert.equal(open().read(), undefined)
  const kept = open()
  kept.keep(() => state(7))
  await kept.flush()
  assert.equal(open().read()?.revision, 7)
  assert.equal(open('there').read(), undefined)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(path.dirname(file)), ['last-good.json'])
  assert.deepEqual(errors, [])
})

test('a burst of changes is written once, as it is at the end', async (context) => {
  const { open } = makePlace(context)
  const kept = open()
  let asked = 0
  for (let n = 1; n <= 100; n++) {
    kept.keep(() => {
      asked++
      return state(n)
    })
  }
  await kept.flush()
  assert.equal(asked, 1)
  assert.equal(open().read()?.revision, 100)
})

test('a damaged file counts as none and is told of', (context) => {
  const { open, errors, file } = makePlace(context)
  rmSync(path.dirname(file), { recursive: true, force: true })
  assert.equal(open().read(), undefined)
  assert.equal(errors.length, 0)
  const flat = path.join(path.dirname(path.dirname(file)), 'flat.json')
  writeFileSync(flat, '{"origin":')
  const log = { error: (fields: object) => void errors.push(fields) }
  assert.equal(new LastGood({ file: flat, origin: 'here', log }).read(), undefined)
  assert.equal(errors.length, 1)
})

test('a place that cannot be written to is told of and fails nothing', async () => {
  const errors: unknown[] = []
  const log = { error: (fields: object) => void errors.push(fields) }
  const kept = new LastGood({ file: '/dev/null/sluice/last-good.json', origin: 'here', log })
  kept.keep(() => state(1))
  await kept.flush()
  assert.equal(errors.length, 1)
})
