/** `run-tests` with files of its own: several of them are one report, and its end tells what failed and what was skipped. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../support/home.ts'
import { type Outcome, runProgram } from '../../../support/program.ts'
import { root } from '../../../support/source-tree.ts'

/** Of files with these bodies. */
async function runTests(...bodies: readonly string[]): Promise<Outcome> {
  using folder = temporaryFolder()
  const files = bodies.map((body, index) => {
    const file = path.join(folder.path, `${index}.test.mjs`)
    writeFileSync(file, `import { test } from 'node:test'\n${body}`)
    return file
  })
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return await runProgram(process.execPath, [path.join(root, 'bin/run-tests'), ...files], { env })
}

const count = (text: string, word: string): number => Number(new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(text)?.[1])

test('the tests of all files are counted together, and those that are skipped are listed with their reason', async () => {
  const { status, out } = await runTests(
    `test('one', () => {}); test('two', async (t) => { await t.test('inner', { skip: 'needs a moon' }, () => {}) })`,
    `test('three', () => {})`,
  )
  assert.equal(status, 0, out)
  assert.deepEqual([count(out, 'tests'), count(out, 'pass'), count(out, 'skipped'), count(out, 'fail')], [4, 3, 1, 0])
  assert.equal(out.match(/^ℹ tests/gm)?.length, 1)
  assert.match(out, /\nskipped tests: 1\n {2}\S*0\.test\.mjs: inner # needs a moon\n$/)
})

test('a test that fails, or a file that cannot be read, fails the whole, and the others run all the same', async () => {
  for (const broken of [`test('bad', () => { throw new Error('no good') })`, 'this is no program']) {
    const { status, out } = await runTests(broken, `test('good', () => {})`)
    assert.equal(status, 1, out)
    assert.deepEqual([count(out, 'pass'), count(out, 'fail')], [1, 1])
    assert.match(out, /✔ good/)
    assert.match(out, /\nfailed: tests\n$/)
  }
})
