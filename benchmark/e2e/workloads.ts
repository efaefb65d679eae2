/** What is done to each contender, and what one unit of it is. */
import type { Contender, Ports } from './contenders.ts'
import type { Generator } from './generators.ts'

export interface Command {
  readonly generator: Generator
  readonly args: readonly (string | number)[]
}

export interface Workload {
  readonly name: string
  readonly title: string
  readonly unit: string
  /** The generator and its arguments; undefined when the contender does not carry this. */
  command(contender: Contender, seconds: number): Command | undefined
}

/** A workload whose load can also be offered at a fixed rate, for latencies that a slow answer does not hide. */
export interface RatedWorkload {
  readonly name: string
  readonly title: string
  readonly unit: string
  /** As much as it goes: by it, what the contender can take is found. */
  readonly most: Workload
  at(perSecond: number): Workload
}

type Args = readonly (string | number)[]

/** The generator's arguments are the port, those given here, and the seconds. */
function workload(
  kind: keyof Ports,
  names: readonly [name: string, title: string, unit: string],
  generator: Generator,
  before: Args,
  between: Args,
): Workload {
  const [name, title, unit] = names
  return {
    name,
    title,
    unit,
    command({ ports }, seconds) {
      const port = ports[kind]
      return port === undefined ? undefined : { generator, args: [...before, port, ...between, seconds] }
    },
  }
}

const messages = (name: string, title: string, connections: number, bytes: number): Workload =>
  workload('tcp', [name, `TCP, ${title}, ${connections} connections`, 'message'], 'tcp-rr', [], [connections, bytes])

const datagrams = (name: string, clients: number): Workload => {
  const title = `UDP, 100 bytes there and back, ${clients} clients`
  return workload('udp', [name, title, 'round trip'], 'udp', ['load'], [clients])
}

const roundTrips = messages('tcp-rr', '100 bytes there and back', 64, 100)

export const streamWorkloads: readonly Workload[] = [
  roundTrips,
  messages('tcp-rr-8', '100 bytes there and back', 8, 100),
  messages('tcp-1m', '1 MB there and back', 8, 1_000_000),
  messages('tcp-bulk', '4 MiB there and back', 4, 4 << 20),
  datagrams('udp-rr', 64),
  datagrams('udp-rr-16', 16),
  workload(
    'tcp',
    ['tcp-sessions', 'TCP, connect, 100 bytes there and back, close; 32 at once', 'session'],
    'tcp-sessions',
    [],
    [32],
  ),
]

export const streamLatency: RatedWorkload = {
  name: 'tcp-latency',
  title: 'TCP, 100 bytes there and back on 64 connections, at half of what nginx can take',
  unit: 'message',
  most: roundTrips,
  at: (perSecond) => workload('tcp', ['tcp-latency', '', 'message'], 'tcp-rate', [], [64, 100, Math.round(perSecond)]),
}
