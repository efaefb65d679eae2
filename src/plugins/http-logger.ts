/** http-logger: posts what it logs to an HTTP server, in batches. */
import { type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import {
  after,
  type BatchConf,
  batchAttributes,
  batchLoggerPhases,
  checkExpression,
  type JsonObject,
  type LogConf,
  type LogEntry,
  loadAuthorities,
  logAttributes,
  logFault,
  logFormatsFault,
  logMetadataSchema,
  type Plugin,
} from '#sdk'

interface Conf extends LogConf, BatchConf {
  readonly uri: string
  readonly auth_header?: string
  /** Seconds. */
  readonly timeout: number
  readonly concat_method: 'json' | 'new_line'
  readonly ssl_verify: boolean
}

export const httpLogger: Plugin<Conf> = {
  name: 'http-logger',
  priority: 410,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      uri: { type: 'string', pattern: '^[^\\/]+:\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?' },
      auth_header: { type: 'string' },
      timeout: { type: 'integer', minimum: 1, default: 3 },
      concat_method: { type: 'string', enum: ['json', 'new_line'], default: 'json' },
      ssl_verify: { type: 'boolean', default: false },
      ...logAttributes,
      ...batchAttributes('http logger'),
    },
    required: ['uri'],
  },
  metadataSchema: logMetadataSchema,
  checkMetadata: (metadata: JsonObject) => logFormatsFault(metadata),

  check(conf) {
    const url = URL.canParse(conf.uri) ? new URL(conf.uri) : undefined
    if (url === undefined || !/^https?:$/.test(url.protocol)) return `uri: ${conf.uri} is no address of http or https`
    return logFault(conf, checkExpression)
  },

  create(conf, build) {
    if (conf.ssl_verify && new URL(conf.uri).protocol === 'https:') loadAuthorities()
    return batchLoggerPhases(conf, build, (entries) => post(conf, encode(conf, entries)))
  },
}

/** One entry of a batch that never has two is sent as it is, several as a list or as lines. */
function encode(conf: Conf, entries: readonly LogEntry[]): string {
  if (conf.batch_max_size === 1) return JSON.stringify(entries[0])
  if (conf.concat_method === 'json') return JSON.stringify(entries)
  return entries.map((entry) => JSON.stringify(entry)).join('\n')
}

/** Of what a server says about its failure, so much is told. */
const shownChars = 1024

function post(conf: Conf, text: string): Promise<void> {
  const url = new URL(conf.uri)
  const body = Buffer.from(text)
  const options: RequestOptions = {
    method: 'POST',
    agent: false,
    headers: {
      'Content-Type': conf.concat_method === 'json' ? 'application/json' : 'text/plain',
      'Content-Length': body.length,
      ...(conf.auth_header === undefined || conf.auth_header === '' ? {} : { Authorization: conf.auth_header }),
    },
  }
  return new Promise((resolve, reject) => {
    const fault = (what: string): void => reject(new Error(`host[${url.hostname}] port[${portOf(url)}]: ${what}`))
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, rejectUnauthorized: conf.ssl_verify })
        : requestHttp(url, options)
    const deadline = after(conf.timeout * 1000, () => request.destroy(new Error('timeout')))
    request.on('close', () => deadline.cancel())
    request.on('error', (error) => fault(error.message))
    request.on('response', (response) => {
      const status = response.statusCode ?? 0
      let said = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        if (said.length < shownChars) said += part.slice(0, shownChars - said.length)
      })
      response.on('error', (error) => fault(error.message))
      response.on('end', () => {
        if (status < 400) resolve()
        else fault(`server returned status code[${status}] body[${said}]`)
      })
    })
    request.end(body)
  })
}

function portOf(url: URL): string {
  return url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
}
