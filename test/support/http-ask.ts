/** One HTTP request on a connection of its own, so that nothing is left open behind it. */
import { request } from 'node:http'

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown
}

export function askHttp(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: AskOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (reply) => {
      let text = ''
      reply.setEncoding('utf8')
      reply.on('data', (part: string) => {
        text += part
      })
      reply.on('error', reject)
      reply.on('end', () => {
        const isJson = (reply.headers['content-type'] ?? '').includes('json') && text !== ''
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: isJson ? JSON.parse(text) : text })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}
