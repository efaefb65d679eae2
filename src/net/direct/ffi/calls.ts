/**
 * libc, bound once per thread. Addresses go in as bigint and come only from `memory.ts`; results are those of the C functions,
 * with errno to be read at once from `errno[0]`. Nothing here is decided; `sockets.ts` and `epoll.ts` give it meaning.
 */
import { ffi } from './node-ffi.ts'
import { uncover } from './uncover.ts'

const i32 = 'i32'
const u32 = 'u32'
const pointer = 'pointer'

/** Exported so that the handle stays reachable: collected, it would take the functions with it. */
export const libc = ffi.dlopen(null, {
  __errno_location: { arguments: [], return: pointer },
  socket: { arguments: [i32, i32, i32], return: i32 },
  bind: { arguments: [i32, pointer, u32], return: i32 },
  listen: { arguments: [i32, i32], return: i32 },
  accept4: { arguments: [i32, pointer, pointer, i32], return: i32 },
  connect: { arguments: [i32, pointer, u32], return: i32 },
  setsockopt: { arguments: [i32, i32, i32, pointer, u32], return: i32 },
  getsockopt: { arguments: [i32, i32, i32, pointer, pointer], return: i32 },
  getsockname: { arguments: [i32, pointer, pointer], return: i32 },
  getpeername: { arguments: [i32, pointer, pointer], return: i32 },
  // size_t and ssize_t fit 32 bits, since no length here exceeds a buffer.
  read: { arguments: [i32, pointer, u32], return: i32 },
  write: { arguments: [i32, pointer, u32], return: i32 },
  send: { arguments: [i32, pointer, u32, i32], return: i32 },
  sendmsg: { arguments: [i32, pointer, i32], return: i32 },
  recvmmsg: { arguments: [i32, pointer, u32, i32, pointer], return: i32 },
  sendmmsg: { arguments: [i32, pointer, u32, i32], return: i32 },
  shutdown: { arguments: [i32, i32], return: i32 },
  close: { arguments: [i32], return: i32 },
  epoll_create1: { arguments: [i32], return: i32 },
  epoll_ctl: { arguments: [i32, i32, i32, pointer], return: i32 },
  epoll_wait: { arguments: [i32, pointer, i32, i32], return: i32 },
  inet_ntop: { arguments: [i32, pointer, pointer, u32], return: pointer },
  aligned_alloc: { arguments: ['u64', 'u64'], return: pointer },
})

export const call = uncover(libc.functions)

/** Those that take text. */
export const names = ffi.dlopen(null, {
  inet_pton: { arguments: [i32, 'string', pointer], return: i32 },
  if_nametoindex: { arguments: ['string'], return: u32 },
})

/** The errno of this thread, whose place never changes. To be read before anything else is called. */
export const errno = new Int32Array(ffi.toArrayBuffer(call.__errno_location(), 4, false))

export const errnos = {
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  EPROTO: 71,
  EADDRINUSE: 98,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EINPROGRESS: 115,
} as const

/** For what the kernel refuses to do that it never should: bad descriptors, bad addresses. It is a bug, and must be seen. */
export function insist(result: number, doing: string): number {
  if (result >= 0) return result
  throw new Error(`${doing}: errno ${errno[0]}`)
}
