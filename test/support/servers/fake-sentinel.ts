/** A sentinel that does as it is told, in RESP3: answers for one master, and can tell of another while it is asked. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface FakeSentinel {
  readonly port: number
  /** Those who hear of failovers. */
  readonly listeners: () => number
  /** The next who asks for the master hears of a failover first; resolves when that has happened. */
  switchWhenAsked(): Promise<void>
  stop(): void
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`
/** `kind` is `*` for a reply, `>` for what nobody has asked for. */
const list = (kind: '*' | '>', ...items: readonly string[]): string =>
  `${kind}${items.length}\r\n${items.map(bulk).join('')}`

/** Of the master `limits` at this port of 127.0.0.1. */
export async function fakeSentinel(masterPort: number): Promise<FakeSentinel> {
  const open = new Set<Socket>()
  /** Who has asked to be told, and who has heard that they will be. */
  const subscribed = new Set<Socket>()
  const listeners = new Set<Socket>()
  const channel = '+switch-master'
  let switched: (() => void) | undefined

  function answer(words: readonly string[], socket: Socket): string {
    const command = words.join(' ').toLowerCase()
    if (command.startsWith('sentinel get-master-addr-by-name')) {
      if (switched !== undefined) {
        for (const each of listeners) each.write(list('>', 'message', channel, 'limits 127.0.0.1 1 127.0.0.1 2'))
        switched()
        switched = undefined
      }
      return list('*', '127.0.0.1', String(masterPort))
    }
    if (command.startsWith('subscribe')) {
      subscribed.add(socket)
      return `>3\r\n${bulk('subscribe')}${bulk(channel)}:1\r\n`
    }
    return command.startsWith('sentinel') ? '*0\r\n' : '+OK\r\n'
  }

  function told(socket: Socket, reply: string): void {
    if (socket.destroyed) return
    socket.write(reply)
    if (subscribed.has(socket)) listeners.add(socket)
  }

  const server = createServer((socket) => {
    open.add(socket)
    let rest = ''
    socket.setEncoding('utf8').on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      subscribed.delete(socket)
      listeners.delete(socket)
    })
    socket.on('data', (part: string) => {
      rest += part
      for (let taken = takeCommand(rest); taken !== undefined; taken = takeCommand(rest)) {
        rest = taken.rest
        const reply = answer(taken.words, socket)
        // What was told of a failover is heard first.
        setImmediate(() => setImmediate(() => told(socket, reply)))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    listeners: () => listeners.size,
    switchWhenAsked: () =>
      new Promise((resolve) => {
        switched = resolve
      }),
    stop() {
      for (const socket of open) socket.destroy()
      server.close()
    },
  }
}

/** The first command of the text, if it is there as a whole. */
function takeCommand(text: string): { words: string[]; rest: string } | undefined {
  const lines = text.split('\r\n')
  const count = Number(lines[0]?.slice(1))
  if (!text.startsWith('*') || lines.length < 2 * count + 2) return undefined
  const words = Array.from({ length: count }, (_, at) => lines[2 * at + 2] as string)
  return { words, rest: lines.slice(2 * count + 1).join('\r\n') }
}
