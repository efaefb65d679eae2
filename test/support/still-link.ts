/** A link that leads nowhere: it has addresses, and keeps what is sent. For exchanges that no wire carries. */
import type { Link, Receiver, TlsInfo } from '../../src/net/link.ts'

export interface StillLinkOptions {
  readonly remoteAddress?: string
  readonly remotePort?: number
  readonly localAddress?: string
  readonly localPort?: number
  readonly tls?: TlsInfo | undefined
}

export class StillLink implements Link {
  readonly carrier = 'stream'
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly tls: TlsInfo | undefined
  readonly pending = 0
  readonly sent: Buffer[] = []
  receiver: Receiver | undefined = undefined
  bytesRead = 0
  bytesWritten = 0
  paused = false
  ended = false
  closed = false

  constructor(options: StillLinkOptions = {}) {
    this.remoteAddress = options.remoteAddress ?? '127.0.0.1'
    this.remotePort = options.remotePort ?? 50_000
    this.localAddress = options.localAddress ?? '127.0.0.1'
    this.localPort = options.localPort ?? 9080
    this.tls = options.tls
  }

  open(receiver: Receiver): void {
    this.receiver = receiver
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  send(bytes: Uint8Array): boolean {
    this.sent.push(Buffer.from(bytes))
    this.bytesWritten += bytes.length
    return true
  }
  forward(bytes: Uint8Array): boolean {
    return this.send(bytes)
  }
  sendText(text: string, body?: Uint8Array): boolean {
    this.send(Buffer.from(text, 'latin1'))
    return body === undefined || this.send(body)
  }
  end(): void {
    this.ended = true
  }
  close(): void {
    this.closed = true
  }
  reset(): void {
    this.closed = true
  }
}
