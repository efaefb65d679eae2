/** For what is timed without the system: a link that leads nowhere, and what connections of clients are served with. */
import { DenseSet } from '../../src/base/dense-set.ts'
import { TimerWheel } from '../../src/base/timers.ts'
import type { Link, Receiver } from '../../src/net/link.ts'
import type { HttpSettings } from '../../src/protocol/http-protocol.ts'

export const wheel = new TimerWheel({ unref: true })
export const settings: HttpSettings = {
  ...{ wheel, headerMs: 60_000, bodyMs: 60_000, idleMs: 60_000, sendMs: 10_000 },
  ...{ maxLineBytes: 8192, maxHeadBytes: 32_768, maxHeaders: 100, maxBodyBytes: 0, maxRequests: 0 },
  ...{ memoryBodyBytes: 16_384, spillFolder: '/', underscores: false, draining: false, connections: new DenseSet() },
}

/** It counts what it is given and keeps the last text. */
export class NowhereLink implements Link {
  readonly carrier = 'stream'
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 1
  readonly localAddress = '127.0.0.1'
  readonly localPort = 2
  readonly tls = undefined
  readonly pending = 0
  readonly closed = false
  readonly bytesRead = 0
  bytesWritten = 0
  receiver: Receiver | undefined = undefined
  last = ''

  open(receiver: Receiver): void {
    this.receiver = receiver
  }
  pause(): void {}
  resume(): void {}
  send(): boolean {
    return true
  }
  forward(bytes: Uint8Array): boolean {
    this.bytesWritten += bytes.length
    return true
  }
  sendText(text: string, body?: Uint8Array): boolean {
    this.bytesWritten += text.length + (body === undefined ? 0 : body.length)
    this.last = text
    return true
  }
  end(): void {}
  close(): void {}
  reset(): void {}
}
