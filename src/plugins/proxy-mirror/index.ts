/** proxy-mirror: sends a copy of the request elsewhere as well; nobody waits for what is answered there. */
import type { CollectedBody, HttpExchange, Plugin } from '#sdk'
import { Mirror } from './mirror.ts'
import { mirrorSettings } from './mirror-settings.ts'

interface Conf {
  readonly host: string
  readonly path?: string
  readonly path_concat_mode: 'replace' | 'prefix'
  readonly sample_ratio: number
}

/** The listener's own limit counts; what is too large for a mirror must still go upstream. */
const anySize = Number.MAX_SAFE_INTEGER
/** Written anew for the copy, or about the client's connection only. */
const ownFields: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'expect'])

export const proxyMirror: Plugin<Conf> = {
  name: 'proxy-mirror',
  priority: 1010,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      host: { type: 'string', pattern: '^(http(s)?|grpc(s)?):\\/\\/([\\da-zA-Z.-]+|\\[[\\da-fA-F:]+\\])(:\\d+)?$' },
      path: { type: 'string', pattern: '^/[^?&]+$' },
      path_concat_mode: { type: 'string', default: 'replace', enum: ['replace', 'prefix'] },
      sample_ratio: { type: 'number', minimum: 0.00001, maximum: 1, default: 1 },
    },
    required: ['host'],
  },

  check({ host, path }) {
    if (host.startsWith('grpc')) return 'host: mirrors that speak gRPC are not built in this version'
    if (!URL.canParse(host)) return `host: ${host} is no address`
    return path === undefined || /^[\x21-\x7e]+$/.test(path) ? undefined : 'path: it is to be percent-encoded'
  },

  create(conf, build) {
    const settings = mirrorSettings(build.attributes)
    const make = (): Mirror => new Mirror(conf.host, settings, build.log)
    // Configurations come and go; connections and what is under way stay.
    const key = `${conf.host} ${JSON.stringify(settings)}`
    const mirror = build.standing(key, make, (last) => last.close())
    return {
      beforeProxy(exchange) {
        const { request, attempts } = exchange
        // Once, however many tries there are. A tunnel cannot be copied.
        if (attempts.length > 0 || request.upgrade !== undefined) return undefined
        if (conf.sample_ratio < 1 && Math.random() >= conf.sample_ratio) return undefined
        const { method, body } = request
        const copy = { method, target: targetOf(exchange, conf), fields: fieldsOf(exchange) }
        if (body.length === 0) {
          mirror.send(copy, undefined)
          return undefined
        }
        if (body.length !== undefined && body.length > settings.maxBodyBytes) return undefined
        return readWhole(body.collect(anySize)).then((bytes) => {
          if (bytes === undefined) return undefined
          mirror.send({ ...copy, fields: [...copy.fields, 'Content-Length', String(bytes.length)] }, bytes)
          return undefined
        })
      },
    }

    /** Undefined: it is too large to be mirrored. */
    async function readWhole(collecting: CollectedBody | Promise<CollectedBody>): Promise<Uint8Array | undefined> {
      const collected = await collecting
      return collected.size > settings.maxBodyBytes ? undefined : collected.bytes()
    }
  },
}

/** What goes upstream, below the path that is configured, or with it in the place of its own. */
function targetOf({ outgoing, request }: HttpExchange, { path, path_concat_mode: mode }: Conf): string {
  const query = request.query === '' ? '' : `?${request.query}`
  if (path !== undefined && mode === 'replace') return path + query
  const mark = request.target.indexOf('?')
  const sent = mark < 0 ? request.target : request.target.slice(0, mark)
  return (path ?? '') + (outgoing.uri ?? sent + query)
}

function fieldsOf({ outgoing, request: { authority, headers } }: HttpExchange): readonly string[] {
  const fields = ['Host', outgoing.host ?? authority]
  for (let at = 0; at < headers.size; at++) {
    if (!ownFields.has(headers.lowerAt(at))) fields.push(headers.nameAt(at), headers.valueAt(at))
  }
  return fields
}
