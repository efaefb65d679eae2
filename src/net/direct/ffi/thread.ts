/**
 * What this thread is to Node: its libuv loop, and what is given back when it ends, however it ends. A worker that is
 * terminated runs no JavaScript any more, and the kernel frees descriptors only with the whole process; so each is
 * entered with Node's own clean-up, which calls close(2) and free(3) for what is left.
 */
import { ffi } from './node-ffi.ts'
import { uncover } from './uncover.ts'

const pointer = 'pointer'
/** Exported so that the handle stays reachable. The mangled names are those of node.h and v8-isolate.h, on every platform. */
export const node = ffi.dlopen(null, {
  uv_backend_fd: { arguments: [pointer], return: 'i32' },
  uv_backend_timeout: { arguments: [pointer], return: 'i32' },
  uv_update_time: { arguments: [pointer], return: 'void' },
  uv_metrics_info: { arguments: [pointer, pointer], return: 'i32' },
  free: { arguments: [pointer], return: 'void' },
  _ZN2v87Isolate10GetCurrentEv: { arguments: [], return: pointer },
  _ZN4node25AddEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_: {
    arguments: [pointer, pointer, pointer],
    return: 'void',
  },
  _ZN4node28RemoveEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_: {
    arguments: [pointer, pointer, pointer],
    return: 'void',
  },
})

const {
  uv_backend_fd: backendFd,
  uv_backend_timeout: backendTimeout,
  uv_update_time: updateTime,
  uv_metrics_info: metricsInfo,
  free,
  _ZN2v87Isolate10GetCurrentEv: currentIsolate,
  _ZN4node25AddEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_: addHook,
  _ZN4node28RemoveEnvironmentCleanupHookEPN2v87IsolateEPFvPvES3_: removeHook,
} = uncover(node.functions)

const loop = ffi.getCurrentEventLoop()
const isolate = currentIsolate()
const closeFunction = ffi.dlsym(node.lib, 'close')
const freeFunction = ffi.dlsym(node.lib, 'free')

/** The descriptor that is readable when libuv has something to do. */
export const loopFd: number = backendFd(loop)

/** ms until libuv has something to do by the clock as it last read it; 0: now, -1: nothing. Call `readClock` to be exact. */
export function loopTimeout(): number {
  return backendTimeout(loop)
}

export function readClock(): void {
  updateTime(loop)
}

/** `uv_metrics_t` is three counters of 64 bits and room for more. */
const metrics = new Int32Array(new ArrayBuffer(256))
const metricsAddress = ffi.getRawPointer(metrics.buffer)

/** Grows whenever libuv has handled an event of a descriptor; the low 32 bits of the count. */
export function loopEvents(): number {
  metricsInfo(loop, metricsAddress)
  return metrics[2] as number
}

const descriptors: bigint[] = []
/** Entered with Node's clean-up. The same entry twice would end the process, so it is known here as well. */
const owned: boolean[] = []

/** From now on the descriptor is closed with the thread, unless `disown` comes first. */
export function own(fd: number): void {
  if (owned[fd] === true) return
  owned[fd] = true
  descriptors[fd] ??= BigInt(fd)
  addHook(isolate, closeFunction, descriptors[fd])
}

/** Before the descriptor is closed, or belongs to somebody else. */
export function disown(fd: number): void {
  if (owned[fd] !== true) return
  owned[fd] = false
  removeHook(isolate, closeFunction, descriptors[fd] as bigint)
}

/** Memory of malloc(3): freed with the thread, after the descriptors that were entered later. */
export function freeAtEnd(address: bigint): void {
  callAtEnd(freeFunction, address)
}

/** The same before the thread ends. */
export function freeNow(address: bigint): void {
  removeHook(isolate, freeFunction, address)
  free(address)
}

/** Calls a function of C with this argument when the thread ends. The same pair twice would end the process. */
export function callAtEnd(address: bigint, argument: bigint): void {
  addHook(isolate, address, argument)
}
