/** The thread's queue of AIO, while it has sockets: opened when it is first wanted, and not asked for again where there is none. */
import { AioContext } from '../ffi/aio.ts'

export class JointContext {
  #context: AioContext | undefined
  #isRefused: boolean

  /** Without `wanted` there is none: every call is one of its own. */
  constructor(wanted: boolean) {
    this.#context = undefined
    this.#isRefused = !wanted
  }

  take(): AioContext | undefined {
    if (this.#context !== undefined || this.#isRefused) return this.#context
    this.#context = AioContext.open()
    this.#isRefused = this.#context === undefined
    return this.#context
  }

  /** The thread has no sockets at the moment, and may be about to end: the kernel would keep the queue. */
  release(): void {
    this.#context?.close()
    this.#context = undefined
  }
}
