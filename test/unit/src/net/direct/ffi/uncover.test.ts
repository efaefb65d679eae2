/** Functions of `node:ffi` with and without the wrapper that Node puts around them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { wires } from '../../../../../../src/net/wires.ts'

const skip = wires.find(({ name }) => name === 'epoll')?.refusal() ?? false
const root = new URL('../../../../../../', import.meta.url).pathname

const program = `
  const { ffi } = await import('${root}src/net/direct/ffi/node-ffi.ts')
  const { uncover } = await import('${root}src/net/direct/ffi/uncover.ts')
  const { functions } = globalThis.library = ffi.dlopen(null, {
    abs: { arguments: ['i32'], return: 'i32' },
    listen: { arguments: ['i32', 'i32'], return: 'i32' },
    memcmp: { arguments: ['pointer', 'pointer', 'u32'], return: 'i32' },
    send: { arguments: ['i32', 'pointer', 'u32', 'i32'], return: 'i32' },
    getppid: { arguments: [], return: 'i32' },
  })
  const before = Reflect.ownKeys(globalThis).length
  const uncovered = uncover(functions)
  const isNative = (f) => /\\[native code\\]/.test(f.toString())
  const memory = ffi.getRawPointer(new ArrayBuffer(4096))
  const results = ({ abs, listen, memcmp, send, getppid }) =>
    [abs(-5), listen(-1, 1), memcmp(memory, memory, 64), send(-1, memory, 1, 0), getppid()].join()
  console.log(JSON.stringify({
    wrapped: Object.values(functions).map(isNative),
    uncovered: Object.values(uncovered).map(isNative),
    names: Object.keys(uncovered),
    same: results(functions) === results(uncovered),
    leftBehind: Reflect.ownKeys(globalThis).length - before,
  }))`

function run(...options: string[]): Record<string, unknown> {
  const args = ['--no-warnings', ...options, '--input-type=module', '--eval', program]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Record<string, unknown>
}

const names = ['abs', 'listen', 'memcmp', 'send', 'getppid']

test('this Node shows the native functions, which return what their wrappers do', { skip }, () => {
  assert.deepEqual(run(), {
    wrapped: [false, false, false, false, true],
    uncovered: [true, true, true, true, true],
    names,
    same: true,
    leftBehind: 0,
  })
})

test('where the inspector is not allowed the wrappers are used', { skip }, () => {
  assert.deepEqual(run('--permission', '--allow-ffi', '--allow-fs-read=*'), {
    wrapped: [false, false, false, false, true],
    uncovered: [false, false, false, false, true],
    names,
    same: true,
    leftBehind: 0,
  })
})
