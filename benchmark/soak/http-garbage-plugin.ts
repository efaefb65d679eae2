/** A user's plugin for the soak over HTTP: garbage in each worker, for each request as well. It changes nothing in requests. */
import { threadId } from 'node:worker_threads'
import { beginGarbage, collectRegularly, endGarbage, type GarbageConf, garbageSchema, leaveGarbage } from './garbage.ts'

// Changes leave garbage in the main thread, which by itself would let it grow for minutes before it collects.
collectRegularly(1000)

export const plugin = {
  name: 'soak-http-garbage',
  priority: 1,
  version: 0.1,
  subsystem: 'http' as const,
  schema: garbageSchema,
  create(conf: GarbageConf) {
    // Each worker has a file of its own.
    beginGarbage(conf, ({ file }) => `${file}.${threadId}`)
    return {
      rewrite() {
        leaveGarbage()
        return undefined
      },
      close: endGarbage,
    }
  },
}
