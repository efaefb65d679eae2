/** Before anything is timed: that all contenders answer the same, and pass on the same headers. */
import { request } from 'node:http'
import type { Contender } from './contenders.ts'
import { largeBytes, smallBody } from './http-backend.ts'
import { apiKey } from './http-contenders.ts'

/** Rejects when one answers otherwise than it must. Says where the headers that it passes on differ from those of the last. */
export async function checkHttp(running: readonly Contender[], say: (line: string) => void): Promise<void> {
  const seen = new Map<string, string>()
  for (const { name, ports, paths } of running) {
    const { http } = ports
    if (http === undefined) continue
    await mustAnswer(name, http, '/', (body) => body === smallBody)
    await mustAnswer(name, http, '/large', (body) => body.length === largeBytes)
    for (const path of paths) await mustAnswer(name, http, path, (body) => body === smallBody)
    if (paths.includes('/keyed')) {
      const { status } = await ask(http, '/keyed', {})
      if (status !== 401) throw new Error(`${name} answers ${status} without a key`)
    }
    seen.set(name, (await ask(http, '/seen')).body.replaceAll(String(http), 'PORT').trim())
  }
  const expected = seen.get('nginx') ?? [...seen.values()].at(-1)
  for (const [name, line] of seen) if (line !== expected) say(`${name} passes on: ${line}\ninstead of: ${expected}`)
}

async function mustAnswer(name: string, port: number, path: string, isRight: (body: string) => boolean): Promise<void> {
  const { status, body } = await ask(port, path)
  if (status !== 200 || !isRight(body)) throw new Error(`${name} answers ${path} with ${status} ${body.slice(0, 200)}`)
}

function ask(
  port: number,
  path: string,
  headers: Record<string, string> = { apikey: apiKey },
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const sent = request({ host: '127.0.0.1', port, path, headers: { host: `localhost:${port}`, ...headers } })
  sent.on('error', reject).on('response', (response) => {
    let body = ''
    response.setEncoding('latin1')
    response.on('data', (text: string) => {
      body += text
    })
    response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, body }))
  })
  sent.end()
  return promise
}
