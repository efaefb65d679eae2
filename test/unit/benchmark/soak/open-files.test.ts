import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { moreOpen, openFiles } from '../../../../benchmark/soak/open-files.ts'

const skip = process.platform !== 'linux' && 'needs /proc'

test('a descriptor more is told by its kind, a socket with its address, and no more when it is closed', {
  skip,
}, async () => {
  const before = openFiles(process.pid)
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const told = moreOpen(before, openFiles(process.pid)).filter((line) => line.includes('socket'))
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', new RegExp(`^1 × socket \\(tcp 127\\.0\\.0\\.1:${port} to 0\\.0\\.0\\.0:0`))
  server.close()
  await once(server, 'close')
  assert.deepEqual(
    moreOpen(before, openFiles(process.pid)).filter((line) => line.includes('socket')),
    [],
  )
})

test('a process that is gone has nothing open', { skip }, () => {
  assert.equal(openFiles(2 ** 30).size, 0)
})
