/** What config.yaml says about mirroring, in `plugin_attr.proxy-mirror`. */
import type { Json, JsonObject } from '#sdk'

export interface MirrorSettings {
  readonly connectMs: number
  /** Longest silences while the copy is sent, and until its answer is there. */
  readonly sendMs: number
  readonly readMs: number
  /** How long a connection is kept for the next copy. */
  readonly idleMs: number
  /** Requests with larger bodies are not mirrored. */
  readonly maxBodyBytes: number
  /** Answers are read, and thrown away, up to so many bytes; what is longer is cut. */
  readonly maxAnswerBytes: number
  /** Copies under way for one mirror in one worker; while there are so many, no more are made. */
  readonly maxPending: number
}

const minuteMs = 60_000

/** Throws with the name of the setting that is wrong. */
export function mirrorSettings(attributes: Json | undefined): MirrorSettings {
  const given = objectOf(attributes)
  const timeout = objectOf(given['timeout'])
  return {
    connectMs: milliseconds(timeout['connect'], 'timeout.connect'),
    sendMs: milliseconds(timeout['send'], 'timeout.send'),
    readMs: milliseconds(timeout['read'], 'timeout.read'),
    idleMs: milliseconds(timeout['idle'], 'timeout.idle'),
    maxBodyBytes: count(given['max_body_bytes'], 8 * 1024 * 1024, 'max_body_bytes'),
    maxAnswerBytes: count(given['max_answer_bytes'], 8 * 1024 * 1024, 'max_answer_bytes'),
    maxPending: count(given['max_pending'], 1000, 'max_pending'),
  }
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: minuteMs, h: 60 * minuteMs }

/** As nginx writes times: a number of seconds, or with a unit. */
function milliseconds(value: Json | undefined, name: string): number {
  if (value === undefined) return minuteMs
  const [, amount, unit = 's'] = /^(\d+)(ms|s|m|h)?$/.exec(String(value)) ?? []
  const ms = Number(amount) * (units[unit] as number)
  if (!(ms > 0)) throw new Error(`plugin_attr.proxy-mirror.${name}: ${JSON.stringify(value)} is no time`)
  return ms
}

function count(value: Json | undefined, usual: number, name: string): number {
  if (value === undefined) return usual
  if (Number.isInteger(value) && (value as number) > 0) return value as number
  throw new Error(`plugin_attr.proxy-mirror.${name}: ${JSON.stringify(value)} is no number of one or more`)
}

function objectOf(json: Json | undefined): JsonObject {
  return json === null || typeof json !== 'object' || Array.isArray(json) ? {} : json
}
