/** A user's plugin for the soak of streams: garbage in the worker, for each session as well. It changes nothing in sessions. */
import { beginGarbage, endGarbage, type GarbageConf, garbageSchema, leaveGarbage } from './garbage.ts'

export const plugin = {
  name: 'soak-garbage',
  priority: 1,
  version: 0.1,
  subsystem: 'stream' as const,
  schema: garbageSchema,
  create(conf: GarbageConf) {
    beginGarbage(conf, ({ file }) => file)
    return {
      preread() {
        leaveGarbage()
        return undefined
      },
      close: endGarbage,
    }
  },
}
