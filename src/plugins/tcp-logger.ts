/** tcp-logger: sends what it logs over TCP or TLS, a connection for each batch. */
import {
  type BatchConf,
  batchAttributes,
  batchLoggerPhases,
  checkExpression,
  type JsonObject,
  type LogConf,
  logAttributes,
  logFault,
  logFormatsFault,
  logMetadataSchema,
  outgoingStream,
  type Plugin,
} from '#sdk'

interface Conf extends LogConf, BatchConf {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** The name that the server is asked for. */
  readonly tls_options?: string
  /** Milliseconds. */
  readonly timeout: number
}

export const tcpLogger: Plugin<Conf> = {
  name: 'tcp-logger',
  priority: 405,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      host: { type: 'string' },
      port: { type: 'integer', minimum: 0, maximum: 65_535 },
      tls: { type: 'boolean', default: false },
      tls_options: { type: 'string' },
      timeout: { type: 'integer', minimum: 1, default: 1000 },
      ...logAttributes,
      ...batchAttributes('tcp logger'),
    },
    required: ['host', 'port'],
  },
  metadataSchema: logMetadataSchema,
  checkMetadata: (metadata: JsonObject) => logFormatsFault(metadata),
  check: (conf) => logFault(conf, checkExpression),

  create(conf, build) {
    const { host, port, timeout: timeoutMs } = conf
    const tls = conf.tls ? { tls: { serverName: conf.tls_options, verify: false } } : {}
    const outgoing = outgoingStream({ host, port, timeoutMs, maxIdle: 0, ...tls })
    const deliver = (entries: readonly object[]): Promise<void> =>
      outgoing.send(JSON.stringify(conf.batch_max_size === 1 ? entries[0] : entries))
    return batchLoggerPhases(conf, build, deliver, () => outgoing.close())
  },
}
