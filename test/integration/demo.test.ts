/** The demo, run as a reader of the README would run it. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../support/home.ts'
import { run } from '../support/servers/program.ts'
import { root } from '../support/source-tree.ts'

test('the demo shows every kind of route, ends by itself in order and leaves no folder behind', async () => {
  using folder = temporaryFolder()
  const env = { TMPDIR: folder.path }
  const { stdout, stderr } = await run(process.execPath, [path.join(root, 'docs/demo/main.ts')], { env, ms: 60_000 })
  assert.match(stdout, /All as it should be\.\n$/)
  assert.doesNotMatch(stdout, /✘/)
  assert.equal(stderr, '')
  assert.deepEqual(readdirSync(folder.path), [])
})
