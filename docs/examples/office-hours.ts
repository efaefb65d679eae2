/** office-hours: closes connections of a stream route that come outside of `from` to `to` o'clock. */
import type { Plugin } from 'sluice/sdk'

const hour = { type: 'integer', minimum: 0, maximum: 24 }

export const plugin: Plugin<{ from: number; to: number }> = {
  name: 'office-hours',
  priority: 2000,
  version: 0.1,
  subsystem: 'stream',
  schema: { type: 'object', properties: { from: hour, to: hour }, required: ['from', 'to'] },
  check: ({ from, to }) => (from <= to ? undefined : 'from must not be after to'),
  create: ({ from, to }) => ({
    preread() {
      const now = new Date().getHours()
      return now >= from && now < to ? undefined : { status: 403 }
    },
  }),
}
