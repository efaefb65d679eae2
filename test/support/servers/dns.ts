/** A real DNS server (dnsmasq) that knows a zone of its own and asks nobody else, and a client that checks every answer. */
import { createSocket, type Socket } from 'node:dgram'
import { findProgram, freePort, makeDir, needs, type Running, start } from './program.ts'

/** What to give to `test` as its `skip`. */
export const dnsMissing = (): string | false => needs('dnsmasq')

/** Every name below `zone` has this address. */
export interface DnsOptions {
  readonly zone?: string
  readonly address?: string
}

export async function startDns({ zone = 'sluice.test', address = '10.20.30.40' }: DnsOptions = {}): Promise<Running> {
  const dir = makeDir(undefined)
  const port = await freePort()
  const args = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    '--no-resolv',
    '--no-hosts',
    '--pid-file=',
    '--log-facility=-',
    `--user=${process.getuid?.() === 0 ? 'root' : ''}`,
    `--address=/${zone}/${address}`,
  ]
  const answers = async (): Promise<boolean> => {
    const { answered } = await queryDns({ port, zone, address, count: 1, sockets: 1, timeoutMs: 200 })
    return answered === 1
  }
  return start({ program: findProgram('dnsmasq')!, args, port, dir, answers })
}

export interface DnsLoad extends DnsOptions {
  readonly port: number
  readonly count: number
  /** Each has one query under way; each is a UDP session of its own. */
  readonly sockets: number
  readonly timeoutMs?: number
}

export interface DnsResult {
  /** Answers with the right id, the right question and the right address. */
  readonly answered: number
  /** Anything else that came: an answer to another question, another address, a refusal. */
  readonly wrong: readonly string[]
  /** Queries without an answer in time. They are not asked again. */
  readonly lost: number
}

/** Asks for `count` different names and compares every answer with what was asked. */
export async function queryDns(load: DnsLoad): Promise<DnsResult> {
  const { zone = 'sluice.test', address = '10.20.30.40', port, count, sockets, timeoutMs = 5000 } = load
  const result = { answered: 0, wrong: [] as string[], lost: 0 }
  let next = 0
  const worker = async (): Promise<void> => {
    const socket = createSocket('udp4')
    await new Promise<void>((done) => socket.connect(port, '127.0.0.1', done))
    while (next < count) {
      const number = next++
      const name = `n${number}.${zone}`
      const reply = await exchange(socket, question(number & 0xffff, name), timeoutMs)
      const fault = reply === undefined ? undefined : faultOf(reply, number & 0xffff, name, address)
      if (reply === undefined) result.lost += 1
      else if (fault === undefined) result.answered += 1
      else result.wrong.push(`${name}: ${fault}`)
    }
    socket.close()
  }
  await Promise.all(Array.from({ length: sockets }, worker))
  return result
}

function exchange(socket: Socket, query: Buffer, timeoutMs: number): Promise<Buffer | undefined> {
  return new Promise((done) => {
    const finish = (reply: Buffer | undefined): void => {
      clearTimeout(patience)
      socket.removeAllListeners('message')
      socket.removeAllListeners('error')
      done(reply)
    }
    const patience = setTimeout(() => finish(undefined), timeoutMs)
    socket.once('message', finish)
    // A closed port shows as ECONNREFUSED on a connected socket.
    socket.once('error', () => finish(undefined))
    socket.send(query)
  })
}

/** RFC 1035 4.1: a standard query for one A record, recursion desired. */
function question(id: number, name: string): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(id, 0)
  head.writeUInt16BE(0x0100, 2)
  head.writeUInt16BE(1, 4)
  return Buffer.concat([head, asked(name)])
}

function asked(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.of(0, 0, 1, 0, 1)])
}

/** What is wrong with a reply; undefined when it answers exactly this question with exactly this address. */
function faultOf(reply: Buffer, id: number, name: string, address: string): string | undefined {
  if (reply.length < 12) return `${reply.length} bytes`
  if (reply.readUInt16BE(0) !== id) return `id ${reply.readUInt16BE(0)}, not ${id}`
  const code = reply.readUInt16BE(2) & 0x800f
  if (code !== 0x8000) return `flags ${code.toString(16)}`
  const expected = asked(name)
  if (!reply.subarray(12, 12 + expected.length).equals(expected)) return 'another question'
  if (reply.readUInt16BE(6) !== 1) return `${reply.readUInt16BE(6)} answers`
  // The one record: a pointer to the question's name, type, class, life, length, then the address.
  const found = reply.subarray(12 + expected.length + 12).join('.')
  return found === address ? undefined : `address ${found}`
}
