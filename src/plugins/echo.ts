/** echo: puts text before, after or in the place of the body of answers. */
import type { BodyFilter, JsonObject, Plugin } from '#sdk'

interface Conf {
  readonly before_body?: string
  readonly body?: string
  readonly after_body?: string
  readonly headers?: JsonObject
}

export const echo: Plugin<Conf> = {
  name: 'echo',
  priority: 412,
  version: 0.1,
  subsystem: 'http',
  schema: {
    type: 'object',
    properties: {
      before_body: { description: 'goes before the body', type: 'string' },
      body: { description: 'takes the place of the body', type: 'string' },
      after_body: { description: 'goes behind the body', type: 'string' },
      headers: { description: 'fields of the answer', type: 'object', minProperties: 1 },
    },
    anyOf: [{ required: ['before_body'] }, { required: ['body'] }, { required: ['after_body'] }],
    minProperties: 1,
  },

  create({ before_body = '', body, after_body = '', headers = {} }) {
    const before = Buffer.from(before_body)
    const whole = body === undefined ? undefined : Buffer.from(body)
    const behind = Buffer.from(after_body)
    const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
    return {
      headerFilter(_exchange, head) {
        for (const [name, value] of fields) head.headers.set(name, value)
        return new Surrounded(before, whole, behind)
      },
    }
  },
}

class Surrounded implements BodyFilter {
  readonly #before: Uint8Array
  readonly #whole: Uint8Array | undefined
  readonly #behind: Uint8Array
  #begun = false

  constructor(before: Uint8Array, whole: Uint8Array | undefined, behind: Uint8Array) {
    this.#before = before
    this.#whole = whole
    this.#behind = behind
  }

  part(bytes: Uint8Array, last: boolean): Uint8Array | undefined {
    const parts: Uint8Array[] = []
    if (!this.#begun) {
      this.#begun = true
      parts.push(this.#before)
      if (this.#whole !== undefined) parts.push(this.#whole)
    }
    if (this.#whole === undefined) parts.push(bytes)
    if (last) parts.push(this.#behind)
    return Buffer.concat(parts)
  }
}
