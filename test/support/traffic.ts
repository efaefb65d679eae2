/** Clients that never rest: sessions short and long through a port, every byte checked. They count and collect what went wrong. */
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'

export interface TrafficOptions {
  readonly port: number
  /** How many clients open one session after the other. Default 4. */
  readonly short?: number
  /** How many stay in one session. Default 4. */
  readonly long?: number
  /** Clients speak TLS and trust this authority. */
  readonly tls?: { readonly servername: string; readonly ca: string }
}

const maxFailures = 100

export interface TrafficCount {
  /** Short sessions that went through as they should. */
  short: number
  /** Messages that came back in long sessions. */
  echoes: number
  /** Which backends answered. */
  readonly names: Set<string>
  readonly failures: string[]
}

export interface Traffic {
  readonly count: TrafficCount
  /** Resolves when all clients have ended, with what they counted. A long session that was cut is a failure. */
  stop(): Promise<TrafficCount>
}

/** A connection that is read by the line. */
class Talk {
  readonly socket: net.Socket
  #text = ''
  #error: Error | undefined
  #wake: () => void = () => {}

  private constructor(socket: net.Socket) {
    this.socket = socket
    const over = (error: Error): void => {
      this.#error ??= error
      this.#wake()
    }
    socket.setEncoding('utf8')
    socket.setTimeout(20_000, () => over(new Error('silence for 20 s')))
    socket.on('data', (part: string) => {
      this.#text += part
      this.#wake()
    })
    socket.on('end', () => over(new Error('the gateway ended the session')))
    socket.on('error', over)
    socket.on('close', () => over(new Error('closed')))
  }

  static async open({ port, tls: secure }: TrafficOptions): Promise<Talk> {
    const at = { port, host: '127.0.0.1' }
    const socket = secure === undefined ? net.connect(at) : tls.connect({ ...at, ...secure })
    const talk = new Talk(socket)
    await once(socket, secure === undefined ? 'connect' : 'secureConnect')
    return talk
  }

  /** Rejects when the connection ends before the line does. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 1)
        return line
      }
      if (this.#error !== undefined) throw this.#error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async echo(text: string): Promise<void> {
    this.socket.write(`${text}\n`)
    const line = await this.line()
    if (line !== text) throw new Error(`${line} came back instead of ${text}`)
  }
}

/** Resolves when every long session stands. The backends are those of `namedServer`. */
export async function startTraffic(options: TrafficOptions): Promise<Traffic> {
  const count: TrafficCount = { short: 0, echoes: 0, names: new Set(), failures: [] }
  let running = true
  const clients: Promise<void>[] = []
  const began = performance.now()
  const failed = (what: string, error: unknown): void => {
    const { code, message } = error as NodeJS.ErrnoException
    // A port that is gone is not asked for ever.
    if (count.failures.length >= maxFailures) running = false
    count.failures.push(`${what} after ${Math.round(performance.now() - began)} ms: ${code ?? ''} ${message}`)
  }

  async function short(): Promise<void> {
    while (running) {
      let talk: Talk | undefined
      try {
        talk = await Talk.open(options)
        count.names.add(await talk.line())
        await talk.echo(`message ${count.short}`)
        talk.socket.end()
        if (!talk.socket.closed) await once(talk.socket, 'close')
        count.short++
      } catch (error) {
        failed('a short session failed', error)
      } finally {
        talk?.socket.destroy()
      }
    }
  }

  async function long(talk: Talk): Promise<void> {
    try {
      for (let turn = 0; running; turn++) {
        await talk.echo(`turn ${turn}`)
        count.echoes++
        // Leaves the processor to others: what is shown is that the session lives, not how fast it is.
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    } catch (error) {
      failed('a long session was cut', error)
    } finally {
      talk.socket.destroy()
    }
  }

  for (let i = 0; i < (options.long ?? 4); i++) {
    const talk = await Talk.open(options)
    count.names.add(await talk.line())
    clients.push(long(talk))
  }
  for (let i = 0; i < (options.short ?? 4); i++) clients.push(short())
  return {
    count,
    async stop() {
      running = false
      await Promise.all(clients)
      return count
    },
  }
}
