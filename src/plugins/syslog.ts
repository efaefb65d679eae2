/** syslog: sends what it logs as messages of RFC 5424, over TCP, TLS or UDP. The same for HTTP and for streams. */
import { hostname } from 'node:os'
import {
  type BatchConf,
  type Build,
  batchAttributes,
  batchLoggerPhases,
  checkExpression,
  type JsonObject,
  type JsonSchema,
  type LogConf,
  logAttributes,
  logFault,
  logFormatsFault,
  logMetadataSchema,
  outgoingDatagrams,
  outgoingStream,
  PartialDelivery,
  type Phases,
  type Plugin,
} from '#sdk'

interface Conf extends LogConf, BatchConf {
  readonly host: string
  readonly port: number
  readonly sock_type: 'tcp' | 'udp'
  readonly tls: boolean
  /** Milliseconds. */
  readonly timeout: number
  /** Bytes that are sent at once over a stream, and bytes that one batch may have: messages beyond are dropped. */
  readonly flush_limit: number
  readonly drop_limit: number
  /** Connections that are kept. */
  readonly pool_size: number
}

/** Facility 5 (messages of syslog itself) and severity 6 (informational). [RFC 5424 §6.2.1] */
const priority = 5 * 8 + 6

const target: Readonly<Record<string, JsonSchema>> = {
  host: { type: 'string' },
  port: { type: 'integer', minimum: 0, maximum: 65_535 },
  sock_type: { type: 'string', enum: ['tcp', 'udp'], default: 'tcp' },
  tls: { type: 'boolean', default: false },
  timeout: { type: 'integer', minimum: 1, default: 3000 },
  flush_limit: { type: 'integer', minimum: 1, default: 4096 },
  drop_limit: { type: 'integer', minimum: 1, default: 1_048_576 },
  pool_size: { type: 'integer', minimum: 5, default: 5 },
}
const batch = batchAttributes('sys logger')

export const syslog: Plugin<Conf> = {
  name: 'syslog',
  priority: 401,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      ...target,
      ...logAttributes,
      ...batch,
    },
    required: ['host', 'port'],
  },
  metadataSchema: logMetadataSchema,
  checkMetadata: (metadata: JsonObject) => logFormatsFault(metadata),
  check: (conf) => logFault(conf, checkExpression),

  create: start,
}

/** Of streams only what a format names can be told. */
export const streamSyslog: Plugin<Conf> = {
  ...syslog,
  subsystem: 'stream',
  schema: {
    type: 'object',
    properties: { ...target, log_format: { type: 'object' }, log_format_extra: { type: 'object' }, ...batch },
    required: ['host', 'port'],
  },
}

function start(conf: Conf, build: Build): Phases {
  const { host, port, timeout: timeoutMs, pool_size: maxIdle, sock_type, flush_limit, drop_limit } = conf
  const tls = conf.tls ? { tls: { serverName: undefined, verify: false } } : {}
  const isStream = sock_type === 'tcp'
  const outgoing = isStream
    ? outgoingStream({ host, port, timeoutMs, maxIdle, ...tls })
    : outgoingDatagrams({ host, port, timeoutMs })
  const flushBytes = isStream ? flush_limit : 1
  return batchLoggerPhases(
    conf,
    build,
    async (entries) => {
      const messages = entries.map((entry) => message(JSON.stringify(entry)))
      const kept = withinLimit(messages, drop_limit)
      if (kept < messages.length) {
        const dropped = messages.length - kept
        build.log.error({ owner: build.owner, dropped, limit: drop_limit }, 'syslog: drop_limit: messages are dropped')
      }
      for (let from = 0; from < kept; ) {
        let [to, text] = [from, '']
        while (to < kept && text.length < flushBytes) text += messages[to++]
        try {
          await outgoing.send(text)
        } catch (error) {
          throw new PartialDelivery((error as Error).message, from)
        }
        from = to
      }
    },
    () => outgoing.close(),
  )
}

/** [RFC 5424 §6] with a line feed behind it, by which receivers tell messages of a stream apart. [RFC 6587 §3.4.2] */
function message(text: string): string {
  return `<${priority}>1 ${new Date().toISOString()} ${hostname()} apisix ${process.pid} - - ${text}\n`
}

/** How many of the messages have room in so many bytes. */
function withinLimit(messages: readonly string[], maxBytes: number): number {
  let bytes = 0
  const over = messages.findIndex((one) => {
    bytes += Buffer.byteLength(one)
    return bytes > maxBytes
  })
  return over === -1 ? messages.length : over
}
