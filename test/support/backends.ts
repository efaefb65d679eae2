/** Small servers for tests to balance: each says its name, so that a test sees who answered. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'

export interface Backend {
  readonly name: string
  readonly port: number
  /** `127.0.0.1:port`, as a key of an upstream's nodes. */
  readonly node: string
  /** Connections (or datagrams) so far. */
  readonly count: () => number
  readonly stop: () => Promise<void>
}

/** Writes its name and a line feed to whoever connects, then sends back what it gets; ends when the client ends. */
export function namedServer(name: string, port = 0): Promise<Backend> {
  const echo = (socket: net.Socket): void => {
    socket.write(`${name}\n`)
    socket.pipe(socket)
  }
  return customServer(echo, name, port)
}

/** Runs `serve` for each connection, half-open connections allowed. */
export async function customServer(serve: (socket: net.Socket) => void, name = 'custom', port = 0): Promise<Backend> {
  let count = 0
  const open = new Set<net.Socket>()
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    count++
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    serve(socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return backend(
    name,
    (server.address() as net.AddressInfo).port,
    () => count,
    async () => {
      for (const socket of open) socket.destroy()
      server.close()
    },
  )
}

/** Answers every datagram with its name, a blank and what came. */
export async function namedDatagrams(name: string): Promise<Backend> {
  let count = 0
  const socket: DatagramSocket = createSocket('udp4')
  socket.on('message', (message, from) => {
    count++
    socket.send(Buffer.concat([Buffer.from(`${name} `), message]), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return backend(
    name,
    socket.address().port,
    () => count,
    async () => void socket.close(),
  )
}

function backend(name: string, port: number, count: () => number, stop: () => Promise<void>): Backend {
  return { name, port, node: `127.0.0.1:${port}`, count, stop }
}

/** Connects and resolves with the first line the server says; '' when the connection ends before. */
export async function firstLine(
  port: number,
  options: { host?: string; localAddress?: string; ms?: number } = {},
): Promise<string> {
  const { host = '127.0.0.1', localAddress, ms = 10_000 } = options
  const socket = net.connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setTimeout(ms, () => {
      socket.destroy()
      reject(new Error(`port ${port} said no line within ${ms} ms`))
    })
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      socket.destroy()
      resolve(text.slice(0, end))
    })
    socket.on('error', reject)
    socket.on('end', () => resolve(''))
    socket.on('close', () => resolve(''))
  })
}

/** Sends one datagram and resolves with the answer; rejects after `ms`. */
export async function askDatagram(
  port: number,
  message: string | Uint8Array,
  socket?: DatagramSocket,
  ms = 5000,
): Promise<string> {
  const own = socket ?? createSocket('udp4')
  try {
    return await new Promise((resolve, reject) => {
      const timer = AbortSignal.timeout(ms)
      timer.addEventListener('abort', () => reject(new Error(`no datagram from port ${port} within ${ms} ms`)))
      own.once('message', (answer) => resolve(answer.toString()))
      own.once('error', reject)
      own.send(message, port, '127.0.0.1')
    })
  } finally {
    if (socket === undefined) own.close()
  }
}
