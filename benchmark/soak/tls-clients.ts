/** TLS sessions through the gateway during a soak: few, since each costs a handshake, but they take the way of a handed-over socket. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:tls'

export interface TlsCounts {
  sessions: number
  failures: number
  wrong: number
  lastFailure: string
}

const everyMs = 60
const bytes = 20_000

/** One session after the other until aborted: connect, some bytes there and back, close or cut off. */
export async function tlsClients(port: number, ca: string, signal: AbortSignal): Promise<TlsCounts> {
  const counts: TlsCounts = { sessions: 0, failures: 0, wrong: 0, lastFailure: '' }
  for (let turn = 0; !signal.aborted; turn++) {
    try {
      const isRight = await session(port, ca, turn)
      counts.sessions += 1
      if (!isRight) counts.wrong += 1
    } catch (error) {
      counts.failures += 1
      counts.lastFailure = String(error)
    }
    await pause(everyMs)
  }
  return counts
}

async function session(port: number, ca: string, turn: number): Promise<boolean> {
  const sent = Buffer.alloc(1 + ((turn * 7919) % bytes), `${turn} `)
  const socket = connect({ host: '127.0.0.1', port, servername: 'soak.test', ca })
  const timer = setTimeout(() => socket.destroy(new Error('no answer within 15 s')), 15_000)
  try {
    await once(socket, 'secureConnect')
    socket.write(sent)
    const received: Buffer[] = []
    let size = 0
    for await (const chunk of socket) {
      received.push(chunk as Buffer)
      size += (chunk as Buffer).length
      if (size >= sent.length) break
    }
    return Buffer.concat(received).equals(sent)
  } finally {
    clearTimeout(timer)
    if (turn % 3 === 0) socket.resetAndDestroy()
    else socket.destroy()
  }
}
