/** The attributes that loggers have in common: formats, bodies, batches. Schemas and what they cannot say; nothing is logged here. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'

/** A format: names of members and what they show; objects nest. */
export interface LogFormatConf {
  readonly [member: string]: Json
}

export interface LogConf {
  readonly log_format?: LogFormatConf
  readonly log_format_extra?: LogFormatConf
  readonly include_req_body?: boolean
  readonly include_req_body_expr?: Json[]
  readonly include_resp_body?: boolean
  readonly include_resp_body_expr?: Json[]
  readonly max_req_body_bytes?: number
  readonly max_resp_body_bytes?: number
}

export interface BatchConf {
  readonly name: string
  readonly batch_max_size: number
  readonly inactive_timeout: number
  readonly buffer_duration: number
  readonly max_retry_count: number
  readonly retry_delay: number
}

/** Deeper formats are refused. */
export const maxFormatDepth = 5

const expression: JsonSchema = { type: 'array', minItems: 1, items: { type: 'array' } }

/** Properties of every logger of HTTP. */
export const logAttributes: Readonly<Record<string, JsonSchema>> = {
  log_format: { type: 'object' },
  log_format_extra: { type: 'object' },
  include_req_body: { type: 'boolean', default: false },
  include_req_body_expr: expression,
  include_resp_body: { type: 'boolean', default: false },
  include_resp_body_expr: expression,
  max_req_body_bytes: { type: 'integer', minimum: 1, default: 524_288 },
  max_resp_body_bytes: { type: 'integer', minimum: 1, default: 524_288 },
}

/** Properties of loggers that send batches; `name` is what they are called by default. */
export function batchAttributes(name: string): Readonly<Record<string, JsonSchema>> {
  return {
    name: { type: 'string', default: name },
    batch_max_size: { type: 'integer', minimum: 1, default: 1000 },
    inactive_timeout: { type: 'integer', minimum: 1, default: 5 },
    buffer_duration: { type: 'integer', minimum: 1, default: 60 },
    max_retry_count: { type: 'integer', minimum: 0, default: 0 },
    retry_delay: { type: 'integer', minimum: 0, default: 1 },
  }
}

/** Properties of `plugin_metadata` of every logger. */
export const logMetadataAttributes: Readonly<Record<string, JsonSchema>> = {
  log_format: { type: 'object' },
  log_format_extra: { type: 'object' },
  max_pending_entries: { type: 'integer', minimum: 1 },
}

export const logMetadataSchema: JsonSchema = { type: 'object', properties: { ...logMetadataAttributes } }

/** What is wrong with the formats and expressions of a logger; `expressionFault` tells what is wrong with one of these. */
export function logFault(conf: LogConf, expressionFault: (json: unknown) => string | undefined): string | undefined {
  for (const name of ['include_req_body_expr', 'include_resp_body_expr'] as const) {
    const json = conf[name]
    const fault = json === undefined ? undefined : expressionFault(json)
    if (fault !== undefined) return `failed to validate the '${name}' expression: ${fault}`
  }
  return logFormatsFault(conf)
}

/** The same of formats alone, as metadata has them too. */
export function logFormatsFault({ log_format, log_format_extra }: LogConf | JsonObject): string | undefined {
  return formatFault('log_format', log_format, 1) ?? formatFault('log_format_extra', log_format_extra, 1)
}

function formatFault(path: string, value: Json | undefined, depth: number): string | undefined {
  if (value === undefined || typeof value === 'string') return undefined
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return `${path}: expected text, $variable or an object of them`
  }
  if (depth > maxFormatDepth) return `${path}: objects are nested more than ${maxFormatDepth} levels deep`
  for (const [name, inner] of Object.entries(value)) {
    const fault = formatFault(`${path}.${name}`, inner, depth + 1)
    if (fault !== undefined) return fault
  }
  return undefined
}
