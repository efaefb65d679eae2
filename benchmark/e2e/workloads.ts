/** What is done to each contender, and what one unit of it is. */
import type { Contender } from './contenders.ts'
import type { Generator } from './generators.ts'

export interface Workload {
  readonly name: string
  readonly title: string
  readonly unit: string
  /** The generator and its arguments; undefined when the contender does not carry this. */
  command(
    contender: Contender,
    seconds: number,
  ): { generator: Generator; args: readonly (string | number)[] } | undefined
}

const tcp = (name: string, title: string, unit: string, generator: Generator, args: readonly number[]): Workload => ({
  name,
  title,
  unit,
  command: ({ tcpPort }, seconds) => ({ generator, args: [tcpPort, ...args, seconds] }),
})

const udp = (name: string, clients: number): Workload => ({
  name,
  title: `UDP, 100 bytes there and back, ${clients} clients`,
  unit: 'round trip',
  command: ({ udpPort }, seconds) =>
    udpPort === undefined ? undefined : { generator: 'udp', args: ['load', udpPort, clients, seconds] },
})

export const workloads: readonly Workload[] = [
  tcp('tcp-rr', 'TCP, 100 bytes there and back, 64 connections', 'round trip', 'tcp-rr', [64, 100]),
  tcp('tcp-rr-8', 'TCP, 100 bytes there and back, 8 connections', 'round trip', 'tcp-rr', [8, 100]),
  tcp('tcp-1m', 'TCP, 1 MB there and back, 8 connections', 'message', 'tcp-rr', [8, 1_000_000]),
  tcp('tcp-bulk', 'TCP, 4 MiB there and back, 4 connections', 'transfer', 'tcp-rr', [4, 4 << 20]),
  udp('udp-rr', 64),
  udp('udp-rr-16', 16),
  tcp('tcp-sessions', 'TCP, connect, 100 bytes there and back, close; 32 at once', 'session', 'tcp-sessions', [32]),
]
