/**
 * The system calls of io_uring and the few beside it, as plain functions. Each returns what the kernel would: 0 or more,
 * or a negative errno. It keeps no state but the library handles, and knows nothing of what the rings hold.
 */
import { ffi } from './node-ffi.ts'

// The same numbers on every architecture that Node has a fast call path for.
const sysSetup = 425n
const sysEnter = 426n
const sysRegister = 427n

// One symbol has one signature in a library handle: each shape of syscall(2) takes a handle of its own.
const setupLibrary = ffi.dlopen(null, {
  syscall: { arguments: ['i64', 'u32', 'pointer'], return: 'i32' },
  __errno_location: { arguments: [], return: 'pointer' },
  eventfd: { arguments: ['u32', 'i32'], return: 'i32' },
})
const enterLibrary = ffi.dlopen(null, {
  syscall: { arguments: ['i64', 'i32', 'u32', 'u32', 'u32', 'pointer'], return: 'i32' },
})
const registerLibrary = ffi.dlopen(null, {
  syscall: { arguments: ['i64', 'i32', 'u32', 'pointer', 'u32'], return: 'i32' },
})
/** Exported so that the handles, and with them the functions, stay reachable for as long as this module does. */
export const uringLibraries: readonly unknown[] = [setupLibrary, enterLibrary, registerLibrary]

const callSetup = setupLibrary.functions.syscall
const callEnter = enterLibrary.functions.syscall
const callRegister = registerLibrary.functions.syscall
const { eventfd: callEventfd, __errno_location: errnoLocation } = setupLibrary.functions

const failed = (result: number): number => (result < 0 ? -ffi.getInt32(errnoLocation()) : result)

/** `params` is the address of a `struct io_uring_params`; a descriptor is returned. */
export function uringSetup(entries: number, params: bigint): number {
  return failed(callSetup(sysSetup, entries, params))
}

/** Submits, and waits for `minComplete` completions when that is more than 0; how many were submitted is returned. */
export function uringEnter(ringFd: number, submit: number, minComplete: number, flags: number): number {
  return failed(callEnter(sysEnter, ringFd, submit, minComplete, flags, 0n))
}

/** `argument` is the address of whatever `operation` takes, which must stay where it is until this returns. */
export function uringRegister(ringFd: number, operation: number, argument: bigint, count: number): number {
  return failed(callRegister(sysRegister, ringFd, operation, argument, count))
}

/** A counter that a poll can wait for: non-blocking, closed on exec. */
export function createEventFd(): number {
  const closeOnExec = 0x80000
  const nonBlocking = 0x800
  return failed(callEventfd(0, closeOnExec | nonBlocking))
}
