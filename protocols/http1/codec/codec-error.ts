/** What the codec throws at bytes that are no message. It does not know which side it reads: the status is for servers. */

export type RefusalStatus = 400 | 414 | 431 | 501 | 505

/** Cheap on purpose, since anybody can cause it: no stack. The message is for the log. */
export class CodecError extends Error {
  /** What a server answers with, before it closes the connection; a client calls it a bad answer, whatever it says. */
  readonly status: RefusalStatus

  constructor(status: RefusalStatus, reason: string) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(reason)
    Error.stackTraceLimit = limit
    this.name = 'CodecError'
    this.status = status
  }
}
