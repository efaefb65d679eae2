/**
 * Why the kernel refuses an io_uring, in words that an operator can act on: from the error it gave and what it shows of
 * itself. It asks for no ring itself.
 */
import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'

/** Where the kernel is looked at; other places are for tests. */
export interface KernelView {
  /** Default `/proc`. */
  readonly proc?: string
  /** As `uname -r` says it. */
  readonly release?: string
}

const needed = { major: 6, minor: 1 }
const EPERM = -1
const ENOMEM = -12
const EINVAL = -22
const ENOSYS = -38

/** `errno` is what io_uring_setup returned, negative. */
export function explainRefusal(errno: number, view: KernelView = {}): string {
  const { proc = '/proc', release: kernel = release() } = view
  if (errno === EPERM) return forbidden(proc)
  if (errno === ENOSYS) return absent(proc, kernel)
  if (errno === EINVAL && isOlder(kernel))
    return `Linux ${kernel} is too old: io_uring is used from ${needed.major}.${needed.minor} on`
  if (errno === ENOMEM) return 'the memory of io_uring may not be locked (RLIMIT_MEMLOCK)'
  return `io_uring_setup failed with ${getSystemErrorName(errno)}: ${getSystemErrorMessage(errno)}`
}

function isOlder(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.', 2).map(Number.parseFloat)
  return major < needed.major || (major === needed.major && minor < needed.minor)
}

function forbidden(proc: string): string {
  const disabled = read(`${proc}/sys/kernel/io_uring_disabled`)?.trim()
  if (disabled !== undefined && disabled !== '0')
    return `io_uring is switched off: kernel.io_uring_disabled is ${disabled}`
  if (isFiltered(proc)) return 'io_uring_setup is forbidden (EPERM) by a seccomp filter, as containers have them'
  return 'io_uring_setup is forbidden (EPERM) by a security module of the kernel'
}

/** Some filters say that there is no such call. */
function absent(proc: string, kernel: string): string {
  const hidden = isFiltered(proc) ? ', or a seccomp filter hides it' : ''
  return `Linux ${kernel} has no io_uring (ENOSYS)${hidden}`
}

function isFiltered(proc: string): boolean {
  return /^Seccomp:\s*2$/m.test(read(`${proc}/self/status`) ?? '')
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
