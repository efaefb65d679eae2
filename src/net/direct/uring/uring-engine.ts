/**
 * The engine on io_uring: one ring for a thread, on which accepts, connects, receives and sends are operations, all those of a
 * turn handed over in one system call. A port for datagrams is only watched: its owner moves many by a call of its own.
 */
import type {
  AcceptOwner,
  Acceptor,
  ConnectOwner,
  DatagramOwner,
  Datagrams,
  Engine,
  Stream,
  StreamOwner,
  Task,
  Watch,
  Watcher,
} from '../engine.ts'
import { UringContext, type UringOptions } from './context.ts'
import { UringAcceptor } from './uring-acceptor.ts'
import { UringConnect } from './uring-connect.ts'
import { UringDatagrams } from './uring-datagrams.ts'
import { UringStream } from './uring-stream.ts'
import { UringWatch } from './uring-watch.ts'

/** One of a kind for each thread: two would wait for their own completions only. Those with other options are for tests. */
const engines = new Map<string, UringEngine>()

/** The engine of this thread, made on first use. Throws a `RangeError` with the reason where io_uring is refused. */
export function uringEngine(options: UringOptions): Engine {
  const kind = `${options.checks} ${options.shortQueues}`
  const engine = engines.get(kind) ?? new UringEngine(options)
  engines.set(kind, engine)
  return engine
}

class UringEngine implements Engine {
  readonly name = 'uring'
  readonly #context: UringContext

  constructor(options: UringOptions) {
    this.#context = new UringContext(options)
  }

  acceptor(fd: number, owner: AcceptOwner): Acceptor {
    return new UringAcceptor(this.#context, fd, owner)
  }

  connect(fd: number, addressBytes: number, owner: ConnectOwner): () => void {
    const connect = new UringConnect(this.#context, fd, addressBytes, owner)
    return () => connect.cancel()
  }

  stream(fd: number, owner: StreamOwner): Stream {
    return new UringStream(this.#context, fd, owner)
  }

  datagrams(fd: number, owner: DatagramOwner): Datagrams {
    return new UringDatagrams(this.#context, fd, owner)
  }

  watch(fd: number, watcher: Watcher): Watch {
    return new UringWatch(this.#context, fd, watcher)
  }

  later(task: Task): void {
    this.#context.later(task)
  }
}
