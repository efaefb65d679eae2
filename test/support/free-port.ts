/** Ports for programs that must be told their port before they start. Sockets of tests themselves use port 0 instead. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

/** Below the ports that systems lend to outgoing connections, so that none of those takes one before its program does. */
const lowest = 10_000
const highest = 32_000
const given = new Set<number>()

/** A port that nobody uses on 127.0.0.1, neither for TCP nor for UDP, and that this process was not given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest)
    if (given.has(port) || !(await freeForTcp(port)) || !(await freeForUdp(port))) continue
    given.add(port)
    return port
  }
}

/** So many neighbouring ports, by the first of them. */
export async function freePortRange(count: number): Promise<number> {
  for (;;) {
    const first = await freePort()
    let free = 1
    while (free < count && (await freeForTcp(first + free)) && (await freeForUdp(first + free))) free++
    if (free < count) continue
    for (let port = first; port < first + count; port++) given.add(port)
    return first
  }
}

function freeForTcp(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

function freeForUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.once('error', () => resolve(false))
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}
