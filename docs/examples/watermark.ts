/** watermark: puts a line under every text that endpoints send, and says so in a header. */
import { compileTemplate, type Plugin } from 'sluice/sdk'

export const plugin: Plugin<{ line: string }> = {
  name: 'watermark',
  priority: 950,
  version: 0.1,
  subsystem: 'http',
  schema: { type: 'object', properties: { line: { type: 'string', default: '-- $host' } } },
  create(conf) {
    const line = compileTemplate(conf.line)
    return {
      headerFilter(exchange, head) {
        const isText = head.headers.get('content-type')?.startsWith('text/plain') === true
        if (!head.fromUpstream || !isText) return undefined
        head.headers.set('X-Watermark', 'yes')
        const mark = Buffer.from(`${line.render((name) => exchange.variable(name))}\n`)
        return { part: (bytes, last) => (last ? Buffer.concat([bytes, mark]) : bytes) }
      },
    }
  },
}
