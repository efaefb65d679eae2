/**
 * Small messages that this program sends on its own account, such as logs: over TCP, TLS or UDP. Nothing of traffic goes this
 * way, and nothing is read back.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { after } from '../base/timers.ts'
import { loadAuthorities } from './tls/authorities.ts'

export interface OutgoingOptions {
  readonly host: string
  readonly port: number
  /** For all of one message: connecting, sending. */
  readonly timeoutMs: number
}

export interface OutgoingStreamOptions extends OutgoingOptions {
  /** Undefined: plain TCP. Without `verify` any certificate will do. */
  readonly tls?: { readonly serverName: string | undefined; readonly verify: boolean }
  /** Connections that are kept for the next message; 0: each message has one of its own, which is closed behind it. */
  readonly maxIdle: number
}

/** Somewhere that messages are sent to. */
export interface Outgoing {
  /** Resolves when the system has taken the message; rejects with why it could not be sent. */
  send(message: string): Promise<void>
  /** Closes connections that are kept; messages under way are sent. */
  close(): void
}

/** Messages over TCP or TLS. */
export function outgoingStream(options: OutgoingStreamOptions): Outgoing {
  return new StreamOutgoing(options)
}

/** Messages over UDP, one datagram each. One that is too large for a datagram is rejected. */
export function outgoingDatagrams(options: OutgoingOptions): Outgoing {
  return new DatagramOutgoing(options)
}

class StreamOutgoing implements Outgoing {
  readonly #options: OutgoingStreamOptions
  readonly #idle: Socket[] = []
  #closed = false

  constructor(options: OutgoingStreamOptions) {
    this.#options = options
    if (options.tls?.verify === true) loadAuthorities()
  }

  async send(message: string): Promise<void> {
    const kept = this.#idle.pop()
    if (kept !== undefined) {
      try {
        return await this.#write(kept, message)
      } catch {
        // The other side may have closed it while nobody used it: that is no reason to lose the message.
      }
    }
    await this.#write(await this.#connect(), message)
  }

  close(): void {
    this.#closed = true
    for (const socket of this.#idle.splice(0)) socket.end()
  }

  #connect(): Promise<Socket> {
    const { host, port, timeoutMs, tls } = this.#options
    const where = `${host}:${port}`
    return new Promise((resolve, reject) => {
      const socket =
        tls === undefined
          ? connect({ host, port })
          : connectTls({
              host,
              port,
              rejectUnauthorized: tls.verify,
              ...serverNameOf(tls.serverName ?? host),
            })
      const deadline = after(timeoutMs, () => socket.destroy(new Error('timeout')))
      const failed = (error: Error): void => {
        deadline.cancel()
        reject(new Error(`failed to connect to ${where}: ${error.message}`, { cause: error }))
      }
      socket.once('error', failed)
      socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
        deadline.cancel()
        socket.removeListener('error', failed)
        // What goes wrong while nobody writes shows at the next message.
        socket.on('error', () => {})
        socket.on('close', () => this.#forget(socket))
        socket.unref()
        socket.resume()
        resolve(socket)
      })
    })
  }

  #write(socket: Socket, message: string): Promise<void> {
    const { host, port, timeoutMs, maxIdle } = this.#options
    return new Promise((resolve, reject) => {
      const deadline = after(timeoutMs, () => socket.destroy(new Error('timeout')))
      const lost = (): void => done(new Error('the connection was closed'))
      const done = (error?: Error | null): void => {
        deadline.cancel()
        socket.removeListener('close', lost)
        if (error != null) {
          socket.destroy()
          reject(new Error(`failed to send to ${host}:${port}: ${error.message}`, { cause: error }))
          return
        }
        if (!this.#closed && this.#idle.length < maxIdle && socket.writable) this.#idle.push(socket)
        else this.#leave(socket)
        resolve()
      }
      if (socket.destroyed || socket.readableEnded) return done(new Error('the connection was closed'))
      socket.once('close', lost)
      if (maxIdle === 0) socket.end(message, () => done())
      else socket.write(message, done)
    })
  }

  /** The other side may take its time to read; a connection that it does not close is closed in the end. */
  #leave(socket: Socket): void {
    if (socket.destroyed) return
    const limit = after(this.#options.timeoutMs, () => socket.destroy())
    socket.once('close', () => limit.cancel())
    socket.end()
  }

  #forget(socket: Socket): void {
    const at = this.#idle.indexOf(socket)
    if (at !== -1) this.#idle.splice(at, 1)
  }
}

/** Addresses are no server names. [RFC 6066 §3] */
function serverNameOf(name: string): { servername?: string } {
  return isIP(name) === 0 ? { servername: name } : {}
}

class DatagramOutgoing implements Outgoing {
  readonly #options: OutgoingOptions
  #socket: DatagramSocket | undefined

  constructor(options: OutgoingOptions) {
    this.#options = options
    this.#socket = undefined
  }

  send(message: string): Promise<void> {
    const { host, port, timeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null): void => {
        deadline.cancel()
        if (error == null) resolve()
        else reject(new Error(`failed to send to ${host}:${port}: ${error.message}`, { cause: error }))
      }
      const deadline = after(timeoutMs, () => done(new Error('timeout')))
      this.#socket ??= this.#open()
      this.#socket.send(message, port, host, done)
    })
  }

  close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }

  #open(): DatagramSocket {
    const socket = createSocket(isIP(this.#options.host) === 6 ? 'udp6' : 'udp4')
    socket.on('error', () => {
      if (this.#socket === socket) this.close()
    })
    socket.unref()
    return socket
  }
}
