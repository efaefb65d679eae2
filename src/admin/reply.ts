/**
 * What a handler of the control-side servers hands back, and the refusals it throws on the way.
 * It knows no route and no resource; `http-server.ts` puts replies on the wire.
 */
import { STATUS_CODES } from 'node:http'
import type { Readable } from 'node:stream'

export interface Reply {
  readonly status: number
  /**
   * Text and streams go out as they are; `undefined` is an empty body; `{ json }` becomes JSON text followed by
   * one line feed.
   */
  readonly body: { readonly json: unknown } | string | Readable | undefined
  /** Laid over the headers that every reply has. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A JSON reply: `value` and a line feed. */
export function json(status: number, value: unknown): Reply {
  return { status, body: { json: value } }
}

/** Ends a handler early with a reply. Cheap on purpose: it is an answer, not a fault, and has no stack. */
export class Refusal extends Error {
  readonly reply: Reply

  constructor(reply: Reply) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(`refused with ${reply.status}`)
    Error.stackTraceLimit = limit
    this.name = 'Refusal'
    this.reply = reply
  }
}

/** The usual refusal: `{"error_msg":"…"}`. */
export function refusal(status: number, message: string): Refusal {
  return new Refusal(json(status, { error_msg: message }))
}

/** The one answer that is not `error_msg`: what was asked for is not in the store. */
export function keyNotFound(): Reply {
  return json(404, { message: 'Key not found' })
}

/** The page of a request that belongs to no handler at all; `note` is a sentence for whoever reads it. */
export function page(status: number, note?: string): Reply {
  const title = `${status} ${STATUS_CODES[status] ?? 'Error'}`
  const lines = ['<html>', `<head><title>${title}</title></head>`, '<body>', `<center><h1>${title}</h1></center>`]
  if (note !== undefined) lines.push(`<p>${note}</p>`)
  lines.push('</body>', '</html>', '')
  return { status, body: lines.join('\r\n'), headers: { 'content-type': 'text/html; charset=utf-8' } }
}
