/** What an operator is told where the kernel refuses an io_uring. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { explainRefusal } from '../../../../../../src/net/direct/uring/refusal.ts'
import { temporaryFolder } from '../../../../../support/home.ts'

interface Proc {
  /** Of kernel.io_uring_disabled; undefined: this kernel has no such setting. */
  readonly disabled?: string
  /** Of /proc/self/status. */
  readonly seccomp?: number
}

function explained(errno: number, release: string, { disabled, seccomp = 0 }: Proc): string {
  using folder = temporaryFolder()
  const proc = folder.path
  mkdirSync(path.join(proc, 'sys/kernel'), { recursive: true })
  mkdirSync(path.join(proc, 'self'))
  writeFileSync(path.join(proc, 'self/status'), `Name:\tnode\nSeccomp:\t${seccomp}\nSeccomp_filters:\t1\n`)
  if (disabled !== undefined) writeFileSync(path.join(proc, 'sys/kernel/io_uring_disabled'), `${disabled}\n`)
  return explainRefusal(errno, { proc, release })
}

const [EPERM, ENOMEM, EINVAL, EMFILE, ENOSYS] = [-1, -12, -22, -24, -38]

test('a sysctl that switches io_uring off is named with its value', () => {
  for (const disabled of ['1', '2']) {
    assert.equal(
      explained(EPERM, '6.12.0', { disabled, seccomp: 2 }),
      `io_uring is switched off: kernel.io_uring_disabled is ${disabled}`,
    )
  }
})

test('a seccomp filter is named when the sysctl does not forbid it', () => {
  const text = 'io_uring_setup is forbidden (EPERM) by a seccomp filter, as containers have them'
  assert.equal(explained(EPERM, '6.12.0', { disabled: '0', seccomp: 2 }), text)
  assert.equal(explained(EPERM, '6.1.0', { seccomp: 2 }), text)
})

test('without a filter it is a security module that forbids', () => {
  assert.match(explained(EPERM, '6.12.0', { disabled: '0' }), /forbidden \(EPERM\) by a security module/)
})

test('a kernel that is too old is told with its version and the one that is needed', () => {
  for (const release of ['5.15.0-91-generic', '5.10.0-18-amd64', '6.0.12']) {
    const text = explained(EINVAL, release, {})
    assert.equal(text, `Linux ${release} is too old: io_uring is used from 6.1 on`)
  }
})

test('a kernel that is new enough is not called old', () => {
  for (const release of ['6.1.0-18-amd64', '6.12.9-cloud', '7.0.1']) {
    assert.match(explained(EINVAL, release, {}), /^io_uring_setup failed with EINVAL: /)
  }
})

test('a kernel without io_uring, or a filter that says so, is told from one that forbids it', () => {
  assert.equal(explained(ENOSYS, '4.19.0', {}), 'Linux 4.19.0 has no io_uring (ENOSYS)')
  assert.match(explained(ENOSYS, '6.12.0', { seccomp: 2 }), /\(ENOSYS\), or a seccomp filter hides it$/)
})

test('what else goes wrong is told by its name', () => {
  assert.match(explained(ENOMEM, '6.12.0', {}), /RLIMIT_MEMLOCK/)
  assert.match(explained(EMFILE, '6.12.0', {}), /^io_uring_setup failed with EMFILE: /)
})

test('a system that shows nothing of itself still gets an answer', () => {
  assert.match(explainRefusal(EPERM, { proc: '/nowhere', release: '6.12.0' }), /forbidden \(EPERM\)/)
})
