import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { EmbeddedSource } from '../../src/config/embedded.ts'
import { until } from '../support/until.ts'

const program = path.join(import.meta.dirname, '../support/embedded-writer.ts')

test('every acknowledged write is there after the process was killed, twenty times', async (context) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'sluice-durable-'))
  context.after(() => rmSync(dir, { recursive: true }))
  const file = path.join(dir, 'sluice.db')
  let next = 0
  let revision = 0
  for (let round = 0; round < 20; round++) {
    const acknowledged = await writeUntilKilled(file, next)
    const source = new EmbeddedSource({ file, history: 100 })
    try {
      const rows = new Map((await source.list('stream_routes')).map((each) => [each.id, each]))
      for (let n = Math.max(0, acknowledged - 49); n <= acknowledged; n++) {
        // one write beyond the last acknowledged one may have been done: 50 later it has the same id
        const found = rows.get(String(n % 50))?.value['n']
        const expected = n % 10 === 0 ? [undefined, n + 50] : [n, n + 50]
        const later = n + 50 === acknowledged + 1 ? [undefined] : []
        assert.ok(
          [...expected, ...later].includes(found as number | undefined),
          `write ${n} of round ${round}: ${found}`,
        )
      }
      const [newest] = source.history(1)
      assert.ok(newest !== undefined && newest.revision > revision, 'the revision only grows')
      revision = newest.revision
      next = acknowledged + 1
    } finally {
      await source.close()
    }
  }
})

/** The number of the last write that was acknowledged before the kill. */
async function writeUntilKilled(file: string, from: number): Promise<number> {
  const child = spawn(process.execPath, [program, file, String(from)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await until(() => out.includes('\n') || child.exitCode !== null, { what: 'the first write' })
  assert.equal(child.exitCode, null, err)
  // the moment of the kill is what is varied here
  await pause(Math.random() * 60)
  child.kill('SIGKILL')
  await ended
  // a line that the kill cut off was not acknowledged in full
  const lines = out.slice(0, out.lastIndexOf('\n')).split('\n')
  return Number(lines.at(-1))
}
