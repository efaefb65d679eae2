/** The operations that the engine uses, by the kernel's names and numbers: a kernel is asked for them before it is used. */
export const opcodes = {
  POLL_ADD: 6,
  SENDMSG: 9,
  TIMEOUT: 11,
  ACCEPT: 13,
  ASYNC_CANCEL: 14,
  CONNECT: 16,
  CLOSE: 19,
  SEND: 26,
  RECV: 27,
} as const
