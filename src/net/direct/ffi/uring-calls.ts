/**
 * The system calls of io_uring and the few beside it, as plain functions. Each returns what the kernel would: 0 or more,
 * or a negative errno. It keeps no state but the library handles, and knows nothing of what the rings hold.
 */
import { errno } from './calls.ts'
import { ffi } from './node-ffi.ts'
import { uncover } from './uncover.ts'

// The same numbers on every architecture that Node has a fast call path for.
const sysSetup = 425
const sysEnter = 426
const sysRegister = 427

// One symbol has one signature in a library handle: each shape of syscall(2) takes a handle of its own.
const setupLibrary = ffi.dlopen(null, {
  syscall: { arguments: ['i32', 'u32', 'pointer'], return: 'i32' },
})
const enterLibrary = ffi.dlopen(null, {
  syscall: { arguments: ['i32', 'i32', 'u32', 'u32', 'u32', 'pointer'], return: 'i32' },
})
const registerLibrary = ffi.dlopen(null, {
  syscall: { arguments: ['i32', 'i32', 'u32', 'pointer', 'u32'], return: 'i32' },
})
/** Exported so that the handles, and with them the functions, stay reachable for as long as this module does. */
export const uringLibraries: readonly unknown[] = [setupLibrary, enterLibrary, registerLibrary]

const { syscall: callSetup } = uncover(setupLibrary.functions)
const { syscall: callEnter } = uncover(enterLibrary.functions)
const { syscall: callRegister } = uncover(registerLibrary.functions)

/** `params` is the address of a `struct io_uring_params`; a descriptor is returned. */
export function uringSetup(entries: number, params: bigint): number {
  const result = callSetup(sysSetup, entries, params)
  return result < 0 ? -(errno[0] as number) : result
}

/** Submits, and waits for `minComplete` completions when that is more than 0; how many were submitted is returned. */
export function uringEnter(ring: number, submit: number, minComplete: number, flags: number): number {
  const result = callEnter(sysEnter, ring, submit, minComplete, flags, 0n)
  return result < 0 ? -(errno[0] as number) : result
}

/** `argument` is the address of whatever `operation` takes, which must stay where it is until this returns. */
export function uringRegister(ringFd: number, operation: number, argument: bigint, count: number): number {
  const result = callRegister(sysRegister, ringFd, operation, argument, count)
  return result < 0 ? -(errno[0] as number) : result
}
