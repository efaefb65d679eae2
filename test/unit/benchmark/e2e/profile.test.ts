import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldStacks } from '../../../../benchmark/e2e/profile.ts'

// As `perf script -F comm,ip,sym` prints samples: the innermost frame first.
const sample = (...frames: readonly string[]): string =>
  `worker-0\n${frames.map((frame) => `\t    7f00aa10 ${frame}`).join('\n')}\n\n`

test('equal stacks become one line with their number, outermost frame first, the most frequent first', () => {
  const script = sample('tcp_ack', 'send') + sample('read', 'JS:*tell /a b.ts:1:2') + sample('tcp_ack', 'send')
  assert.equal(foldStacks(script), 'worker-0;send;tcp_ack 2\nworker-0;JS:*tell /a b.ts:1:2;read 1\n')
})

test('a sample without a stack is left out', () => {
  assert.equal(foldStacks(`worker-0\n\n${sample('read')}`), 'worker-0;read 1\n')
})
