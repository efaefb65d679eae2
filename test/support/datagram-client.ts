/** A UDP client with promises: one socket, whose answers are kept in the order in which they came. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { until } from './until.ts'

export interface DatagramClient {
  readonly port: number
  /** Everything that came so far. */
  readonly answers: readonly Buffer[]
  send(message: string | Uint8Array): Promise<void>
  /** Sends and resolves with the next answer; rejects after `ms`. */
  ask(message: string | Uint8Array, ms?: number): Promise<Buffer>
  close(): void
}

export async function datagramClient(to: number, localAddress = '127.0.0.1'): Promise<DatagramClient> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
  const answers: Buffer[] = []
  socket.on('message', (message) => void answers.push(message))
  socket.on('error', () => {})
  socket.bind(0, localAddress)
  await once(socket, 'listening')
  const send = (message: string | Uint8Array): Promise<void> =>
    new Promise((resolve, reject) =>
      socket.send(message, to, '127.0.0.1', (error) => (error === null ? resolve() : reject(error))),
    )
  return {
    port: socket.address().port,
    answers,
    send,
    async ask(message, ms = 5000) {
      const before = answers.length
      await send(message)
      await until(() => answers.length > before, { ms, what: `an answer of port ${to}` })
      return answers[before] ?? Buffer.alloc(0)
    },
    close: () => void socket.close(),
  }
}
