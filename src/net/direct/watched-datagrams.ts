/** A connected socket of datagrams that is only watched: it reads and writes by calls of its own, one for each datagram. */
import type { DatagramOwner, Datagrams, Engine, Watch, Watcher } from './engine.ts'
import { errnos } from './ffi/calls.ts'
import { receiveDatagram, sendDatagram } from './ffi/single-datagram.ts'
import { closeSocket } from './ffi/sockets.ts'

export class WatchedDatagrams implements Datagrams, Watcher {
  readonly #engine: Engine
  readonly #fd: number
  readonly #owner: DatagramOwner
  #watch: Watch | undefined
  #closed: boolean

  constructor(engine: Engine, fd: number, owner: DatagramOwner) {
    this.#engine = engine
    this.#fd = fd
    this.#owner = owner
    this.#watch = undefined
    this.#closed = false
  }

  startReading(): void {
    this.#watch ??= this.#engine.watch(this.#fd, this)
  }

  send(bytes: Uint8Array): void {
    if (this.#closed) return
    const result = sendDatagram(this.#fd, bytes)
    if (result < 0) this.#engine.later({ run: () => this.#fail(-result, 'send') })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#watch === undefined) closeSocket(this.#fd)
    else this.#watch.close()
  }

  /** For the engine. */
  readable(): void {
    const got = receiveDatagram(this.#fd)
    if (typeof got !== 'number') this.#owner.arrived(got)
    else if (got !== -errnos.EAGAIN) this.#fail(-got, 'recv')
  }

  #fail(errno: number, doing: string): void {
    if (!this.#closed) this.#owner.failed(errno, doing)
  }
}
