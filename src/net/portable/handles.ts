/**
 * Node's own socket handles, which `node:net` and `node:dgram` are made of. This is the one file that reaches for them:
 * they are not documented, so it looks at their shape first, and without them the wire runs on the public modules.
 */
import net from 'node:net'

/** A request that did not finish at once; `this` of its callback. */
export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void
  /** Set when the request finished before `oncomplete` could be given. */
  writeStatus: number | null
  link: unknown
  size: number
  /** What must stay alive and unchanged until the request is done. */
  memory: unknown
}

export interface ConnectRequest {
  oncomplete: (this: ConnectRequest, status: number) => void
  holder: unknown
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void
  link: unknown
}

/** Numbers returned are 0 or a negative errno unless it says otherwise. */
export interface TcpHandle {
  /** Ours: who is called back. */
  holder: unknown
  /** What it returns is the buffer of the next read; undefined: the same one again. */
  onread: (this: TcpHandle) => Uint8Array | undefined
  onconnection: (this: TcpHandle, status: number, client: TcpHandle | undefined) => void
  bind(host: string, port: number, flags: number): number
  bind6(host: string, port: number, flags: number): number
  listen(backlog: number): number
  connect(request: ConnectRequest, host: string, port: number): number
  connect6(request: ConnectRequest, host: string, port: number): number
  getsockname(into: AddressInto): number
  getpeername(into: AddressInto): number
  setNoDelay(on: boolean): number
  setKeepAlive(on: boolean, delaySeconds: number): number
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
  /** A number when it is done or has failed, a request when it goes on. */
  writeBuffer(request: null, bytes: Uint8Array): number | WriteRequest
  /** 1 when done at once. */
  shutdown(request: ShutdownRequest): number
  close(closed?: (this: TcpHandle) => void): void
  reset(closed?: (this: TcpHandle) => void): number
}

export interface AddressInto {
  address?: string
  port?: number
}

export interface SendRequest {
  oncomplete: (this: SendRequest, status: number) => void
  link: unknown
  memory: unknown
  size: number
}

export interface UdpHandle {
  holder: unknown
  onmessage: (
    this: UdpHandle,
    size: number,
    handle: UdpHandle,
    bytes: Uint8Array | undefined,
    from: { address: string; port: number },
  ) => void
  onerror: (this: UdpHandle, size: number, handle: UdpHandle, error: Error) => void
  bind(host: string, port: number, flags: number): number
  bind6(host: string, port: number, flags: number): number
  connect(host: string, port: number): number
  connect6(host: string, port: number): number
  /** Size + 1 when done at once, 0 when the request goes on. The short form is for connected sockets. */
  send(request: SendRequest, list: Uint8Array[], length: number, callback: boolean): number
  send(request: SendRequest, list: Uint8Array[], length: number, port: number, host: string, callback: boolean): number
  send6(request: SendRequest, list: Uint8Array[], length: number, port: number, host: string, callback: boolean): number
  recvStart(): number
  recvStop(): number
  getsockname(into: AddressInto): number
  bufferSize(bytes: number, receive: boolean, error: object): number | undefined
  close(closed?: (this: UdpHandle) => void): void
}

export interface Handles {
  /** 0: to connect, 1: to listen. */
  readonly Tcp: new (
    purpose: 0 | 1,
  ) => TcpHandle
  readonly ConnectRequest: new () => ConnectRequest
  readonly ShutdownRequest: new () => ShutdownRequest
  readonly Udp: new () => UdpHandle
  readonly SendRequest: new () => SendRequest
  readonly tcpReusePort: number
  readonly udpReusePort: number
  /** What the last call of `onread` or write was about: indices follow. */
  readonly state: Int32Array
  readonly readSize: number
  readonly writeError: number
}

export const endOfStream = -4095

/** Undefined where this Node keeps its handles elsewhere or in another shape. */
export function findHandles(): Handles | undefined {
  try {
    const found = bindings()
    return found !== undefined && behaves(found) ? found : undefined
  } catch {
    return undefined
  }
}

function bindings(): Handles | undefined {
  const binding: unknown = Reflect.get(process, 'binding')
  if (typeof binding !== 'function') return undefined
  const load = binding as (name: string) => Record<string, unknown>
  const stream = load('stream_wrap')
  const tcp = load('tcp_wrap')
  const udp = load('udp_wrap')
  const tcpConstants = tcp['constants'] as Record<string, number>
  const udpConstants = udp['constants'] as Record<string, number>
  // Its presence tells that writes make their own request: given the null of that shape, the older one would abort.
  if (typeof stream['kLastWriteErr'] !== 'number' || !(stream['streamBaseState'] instanceof Int32Array))
    return undefined
  return {
    Tcp: tcp['TCP'] as Handles['Tcp'],
    ConnectRequest: tcp['TCPConnectWrap'] as Handles['ConnectRequest'],
    ShutdownRequest: stream['ShutdownWrap'] as Handles['ShutdownRequest'],
    Udp: udp['UDP'] as Handles['Udp'],
    SendRequest: udp['SendWrap'] as Handles['SendRequest'],
    tcpReusePort: tcpConstants['UV_TCP_REUSEPORT'] ?? 0,
    udpReusePort: udpConstants['UV_UDP_REUSEPORT'] ?? 0,
    state: stream['streamBaseState'],
    readSize: stream['kReadBytesOrError'] as number,
    writeError: stream['kLastWriteErr'],
  }
}

/** Tries, on sockets that lead nowhere, what must not fail later. */
function behaves(handles: Handles): boolean {
  const tcp = new handles.Tcp(0)
  const udp = new handles.Udp()
  try {
    const methods = [
      'onread',
      'readStart',
      'readStop',
      'shutdown',
      'reset',
      'setNoDelay',
      'setKeepAlive',
      'getpeername',
    ]
    for (const method of methods) if (!(method in tcp)) return false
    for (const method of ['recvStart', 'send6', 'connect6', 'bufferSize']) if (!(method in udp)) return false
    if (new handles.ConnectRequest() === undefined || new handles.SendRequest() === undefined) return false
    if (typeof handles.readSize !== 'number' || handles.state.length <= handles.writeError) return false
    tcp.useUserBuffer(Buffer.allocUnsafeSlow(1))
    // Not connected: an error number, no request.
    const written = tcp.writeBuffer(null, Buffer.allocUnsafeSlow(1))
    return typeof written === 'number' && written < 0
  } finally {
    tcp.close()
    udp.close()
  }
}

/** A paused socket of `node:net` around a handle that no one else reads any more. */
export function socketOf(handle: TcpHandle): net.Socket {
  const options: Omit<net.SocketConstructorOpts, 'handle'> & { handle: TcpHandle; pauseOnCreate: boolean } = {
    handle,
    allowHalfOpen: true,
    pauseOnCreate: true,
  }
  return new net.Socket(options as unknown as net.SocketConstructorOpts)
}
