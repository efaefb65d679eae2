/** Hosts as rules name them: `a.test`, `*.a.test`, `*`. It matches nothing by itself. */

export interface HostPattern {
  /** Lower case; what stands behind the asterisk, if there is one. */
  readonly text: string
  /** All hosts that end so, that one itself included. */
  readonly suffix: boolean
  /** It names a port too: compared with what the client sent. */
  readonly port: boolean
}

/** An address in brackets loses them: hosts of requests have none. */
export function readHost(written: string): HostPattern {
  const lower = written.toLowerCase()
  const suffix = lower.startsWith('*')
  const text = suffix ? lower.slice(1) : lower
  const bare = /^\[([^\]]*)\]$/.exec(text)?.[1]
  if (bare !== undefined) return { text: bare, suffix, port: false }
  return { text, suffix, port: /^(?:[^:]*|\[[^\]]*\]):[0-9]+$/.test(text) }
}
