/**
 * The way to one UDP endpoint: a connected socket seen as a link. Connecting sends nothing; whether anybody is there
 * shows when an answer comes, or an ICMP message that says no.
 */
import { getSystemErrorName } from 'node:util'
import { type Code, GatewayError } from '../../errors.ts'
import { shownAddress } from '../address.ts'
import { gathered } from '../gathered.ts'
import type { Link, Receiver } from '../link.ts'
import { dialError } from '../portable/dial-error.ts'
import type { DialReceiver, Target } from '../wire.ts'
import type { DatagramSide } from './direct-udp-listener.ts'
import type { SocketName, Watch, Watcher } from './engine.ts'
import { errnos } from './ffi/calls.ts'
import { poisonDatagrams, receiveDatagram, sendDatagram } from './ffi/datagrams.ts'
import { here, nowhere, writeAddress } from './ffi/socket-address.ts'
import { closeSocket, connectSocket, localName, openSocket } from './ffi/sockets.ts'

/** As `Wire.dial` for datagrams. */
export function dialUdpDirect(side: DatagramSide, target: Target, receiver: DialReceiver): () => void {
  const link = new DirectUdpLink(side, target, receiver)
  return () => link.cancel()
}

class DirectUdpLink implements Link, Watcher {
  readonly carrier = 'datagram'
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #side: DatagramSide
  readonly #target: Target
  /** Negative: none. */
  #fd: number
  #local: SocketName | undefined
  #watch: Watch | undefined
  #dial: DialReceiver | undefined
  #receiver: Receiver | undefined
  #paused: boolean
  #closed: boolean
  #told: boolean
  #bytesRead: number
  #bytesWritten: number
  #error: GatewayError | undefined

  constructor(side: DatagramSide, target: Target, receiver: DialReceiver) {
    this.remoteAddress = shownAddress(target.host)
    this.remotePort = target.port
    this.#side = side
    this.#target = target
    this.#fd = -1
    this.#local = undefined
    this.#watch = undefined
    this.#dial = receiver
    this.#receiver = undefined
    this.#paused = false
    this.#closed = false
    this.#told = false
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#error = undefined
    const error = this.#connect()
    side.engine.later({ run: () => this.#connected(-error) })
  }

  get tls(): undefined {
    return undefined
  }

  get localAddress(): string {
    return this.#self().host
  }

  get localPort(): number {
    return this.#self().port
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** Always none: what the system does not take is dropped. */
  get pending(): number {
    return 0
  }

  get closed(): boolean {
    return this.#closed
  }

  open(receiver: Receiver): void {
    const first = this.#receiver === undefined
    this.#receiver = receiver
    if (!first) return
    if (this.#closed) process.nextTick(tell, this)
    else this.#watchIt()
  }

  /** Datagrams that come while it is paused are dropped, as any that find no room. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed) return true
    this.#bytesWritten += bytes.length
    const error = sendDatagram(this.#fd, bytes)
    // The caller may not expect to be called from here.
    if (error < 0 && codeOf(-error) !== undefined) process.nextTick(fail, this, -error, 'send')
    return true
  }

  /** The same: the kernel copies a datagram at once. */
  forward(bytes: Uint8Array): boolean {
    return this.send(bytes)
  }

  sendText(text: string, body?: Uint8Array): boolean {
    return this.send(gathered(text, body))
  }

  end(): void {}

  close(): void {
    this.#finish(undefined)
  }

  reset(): void {
    this.#finish(undefined)
  }

  cancel(): void {
    if (this.#dial === undefined) return
    this.#dial = undefined
    this.#closed = true
    this.#shut()
  }

  /** For the engine. */
  readable(): void {
    const got = receiveDatagram(this.#fd)
    if (typeof got === 'number') {
      this.fail(-got, 'recv')
      return
    }
    if (this.#paused) return
    this.#bytesRead += got.length
    this.#receiver?.bytes(this, got)
    if (this.#side.checks) poisonDatagrams(got)
  }

  /** Ends the session where the error means that nobody is there; else it concerns one datagram. */
  fail(errno: number, doing: string): void {
    const code = codeOf(errno)
    if (code === undefined || this.#closed) return
    const answered = this.#bytesRead > 0 && code === 'connect_refused'
    const { host, port } = this.#target
    const message = `${doing} ${getSystemErrorName(-errno)} ${host.includes(':') ? `[${host}]` : host}:${port}`
    this.#finish(new GatewayError(answered ? 'upstream_closed' : code, message))
  }

  tell(): void {
    if (this.#told || this.#receiver === undefined) return
    this.#told = true
    this.#receiver.closed(this, this.#error)
  }

  /** 0 or a negative errno. */
  #connect(): number {
    const { host, port } = this.#target
    const fd = openSocket('datagram', host)
    if (fd < 0) return fd
    this.#fd = fd
    const size = writeAddress(host, port)
    return size === 0 ? -errnos.EINVAL : connectSocket(fd, here, size)
  }

  #connected(errno: number): void {
    const dial = this.#dial
    if (dial === undefined) return
    this.#dial = undefined
    if (errno === 0) {
      dial.connected(this)
      return
    }
    this.#closed = true
    this.#shut()
    const { host, port } = this.#target
    dial.failed(dialError(getSystemErrorName(-errno), host, port))
  }

  #watchIt(): void {
    try {
      this.#watch = this.#side.engine.watch(this.#fd, this)
    } catch (error) {
      this.#finish(new GatewayError('connect_failed', 'the socket cannot be watched', error))
    }
  }

  #self(): SocketName {
    if (this.#fd < 0) return this.#local ?? nowhere
    this.#local ??= localName(this.#fd)
    return this.#local
  }

  #finish(error: GatewayError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#error = error
    this.#shut()
    process.nextTick(tell, this)
  }

  #shut(): void {
    const fd = this.#fd
    this.#fd = -1
    if (this.#watch !== undefined) this.#watch.close()
    else if (fd >= 0) closeSocket(fd)
    this.#watch = undefined
  }
}

/** What ends a session: ICMP said that nobody is there, or that there is no way. */
function codeOf(errno: number): Code | undefined {
  if (errno === errnos.ECONNREFUSED) return 'connect_refused'
  if (errno === errnos.EHOSTUNREACH || errno === errnos.ENETUNREACH) return 'connect_failed'
  return undefined
}

function tell(link: DirectUdpLink): void {
  link.tell()
}

function fail(link: DirectUdpLink, errno: number, doing: string): void {
  link.fail(errno, doing)
}
