/**
 * One watch on etcd's own stream, from a revision on, until it breaks. The package's watcher is not used: after a
 * reconnect it goes on from the revision of the store instead of that of the last event, and loses what lies between.
 */
import type { Etcd3, IEvent, IWatchResponse } from 'etcd3'
import { rangeEnd } from './etcd-keys.ts'

export interface WatchOptions {
  readonly client: Etcd3
  /** Ends with a slash. */
  readonly start: string
  readonly fromRevision: number
  readonly signal: AbortSignal
  /** etcd has taken the watch. */
  onReady(): void
  /** Events of one or more whole revisions, oldest first; `revision` is that of the last. */
  onEvents(events: readonly IEvent[], revision: number): void
  /** Nothing up to this revision was missed, and nothing happened. */
  onProgress(revision: number): void
}

/** Why a watch ended: it was aborted, or its revision is not kept any more. */
export type WatchEnd = 'aborted' | 'compacted'

/** Rejects when the stream breaks or etcd ends it for another reason. */
export async function watchRange(options: WatchOptions): Promise<WatchEnd> {
  const { client, signal } = options
  if (signal.aborted) return 'aborted'
  const stream = await client.watchClient.watch()
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', abort)
      // half-closed instead of cancelled: the package takes a cancelled stream for a failure of its endpoint
      stream.end()
      settle()
    }
    const abort = (): void => finish(() => resolve('aborted'))
    const take = responseTaker(options)
    signal.addEventListener('abort', abort, { once: true })
    stream.on('error', (error) => finish(() => reject(error)))
    stream.on('end', () => finish(() => reject(new Error('etcd ended the watch'))))
    stream.on('data', (response) => {
      if (signal.aborted) return
      if (Number(response.compact_revision) > 0) return finish(() => resolve('compacted'))
      if (response.canceled) return finish(() => reject(new Error(`etcd refused the watch: ${response.cancel_reason}`)))
      take(response)
    })
    const key = Buffer.from(options.start)
    stream.write({
      create_request: {
        key,
        range_end: rangeEnd(key),
        start_revision: options.fromRevision,
        progress_notify: true,
        fragment: true,
      },
    })
    if (signal.aborted) abort()
  })
}

/** Puts the fragments of large responses together. */
function responseTaker(options: WatchOptions): (response: IWatchResponse) => void {
  let pending: IEvent[] = []
  return (response) => {
    if (response.created) return options.onReady()
    for (const event of response.events) pending.push(event)
    if (response.fragment) return
    const events = pending
    pending = []
    const last = events.at(-1)
    // the header's revision is where the store is, which may be ahead of the events of a watch that is behind
    if (last !== undefined) options.onEvents(events, Number(last.kv.mod_revision))
    else options.onProgress(Number(response.header.revision))
  }
}
