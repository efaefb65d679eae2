/** udp-logger: sends what it logs by UDP, a datagram for each batch. */
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
  outgoingDatagrams,
  type Plugin,
} from '#sdk'

interface Conf extends LogConf, BatchConf {
  readonly host: string
  readonly port: number
  /** Seconds. */
  readonly timeout: number
}

export const udpLogger: Plugin<Conf> = {
  name: 'udp-logger',
  priority: 400,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      host: { type: 'string' },
      port: { type: 'integer', minimum: 0, maximum: 65_535 },
      timeout: { type: 'integer', minimum: 1, default: 3 },
      ...logAttributes,
      ...batchAttributes('udp logger'),
    },
    required: ['host', 'port'],
  },
  metadataSchema: logMetadataSchema,
  checkMetadata: (metadata: JsonObject) => logFormatsFault(metadata),
  check: (conf) => logFault(conf, checkExpression),

  create(conf, build) {
    const { host, port } = conf
    const outgoing = outgoingDatagrams({ host, port, timeoutMs: conf.timeout * 1000 })
    const deliver = (entries: readonly object[]): Promise<void> =>
      outgoing.send(JSON.stringify(conf.batch_max_size === 1 ? entries[0] : entries))
    return batchLoggerPhases(conf, build, deliver, () => outgoing.close())
  },
}
