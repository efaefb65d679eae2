/**
 * The numbers and layouts by which the direct wire speaks to the kernel, beside the kernel's own headers for both architectures.
 * Those of the machine's own are proved by the wire's suites as well; the other's cannot be run here.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { opcodes } from '../../../../../src/net/direct/uring/opcodes.ts'
import { temporaryFolder } from '../../../../support/home.ts'
import { findProgram } from '../../../../support/servers/program.ts'
import { root } from '../../../../support/source-tree.ts'

type Arch = 'x64' | 'arm64'

/** By what they belong to, in the order of the fixture. */
const expected = (arch: Arch): Readonly<Record<string, readonly number[]>> => ({
  'calls of io_uring': [425, 426, 427],
  'calls of AIO': arch === 'x64' ? [206, 207, 209] : [0, 1, 2],
  'a submission': [64, 0, 1, 2, 4, 8, 16, 24, 28, 28, 28, 28, 32, 40],
  'a completion': [16, 0, 8, 12, 16],
  'a ring': [
    ...[120, 8, 20, 40, 44, 56, 64, 72, 80, 84, 100, 104, 112],
    ...[1 << 3, 1 << 7, 1 << 12, 1 << 13, 1 << 0, 1 << 1, 1 << 5, 1 << 9],
  ],
  'lent buffers': [40, 0, 8, 12, 16, 0, 8, 12, 14, 22],
  operations: Object.values(opcodes),
  'a time': [16, 8],
  'accepted descriptors': [0x80800],
  'an event of epoll': arch === 'x64' ? [12, 4] : [16, 8],
  'a request of AIO': [64, 16, 20, 24, 32, 32, 16, 0, 1],
})

const compilers: Readonly<Record<Arch, string>> = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' }

for (const arch of ['x64', 'arm64'] as const) {
  const own = process.platform === 'linux' && process.arch === arch
  const compiler = findProgram(own ? 'gcc' : compilers[arch])
  const prefix = own ? '' : compilers[arch].replace(/gcc$/, '')
  test(`on ${arch} the kernel has the numbers and layouts that the direct wire knows`, {
    skip: compiler === undefined && `needs ${own ? 'gcc' : compilers[arch]}`,
  }, (t) => {
    using folder = temporaryFolder()
    const [object, raw] = [path.join(folder.path, 'numbers.o'), path.join(folder.path, 'numbers')]
    const source = path.join(root, 'test/fixtures/kernel-numbers.c')
    const compiled = spawnSync(compiler ?? '', ['-Wall', '-Werror', '-c', '-o', object, source], { encoding: 'utf8' })
    if (/these headers are too old/.test(compiled.stderr)) return t.skip('needs headers of Linux 6.1 or later')
    assert.equal(compiled.status, 0, compiled.stderr)
    execFileSync(`${prefix}objcopy`, ['-O', 'binary', '--only-section=.numbers', object, raw])
    const found = [...new BigInt64Array(Uint8Array.from(readFileSync(raw)).buffer)].map(Number)
    for (const [what, numbers] of Object.entries(expected(arch))) {
      assert.deepEqual(found.splice(0, numbers.length), numbers, what)
    }
    assert.deepEqual(found, [])
  })
}
