/** The line of a field whose value is the same for many messages in a row: put together when the value changes. */

/** Longer ones are not kept. */
const maxKeptChars = 256

export class FieldLine {
  readonly #name: string
  #value: string | undefined
  #line: string

  constructor(name: string) {
    this.#name = name
    this.#value = undefined
    this.#line = ''
  }

  /** `Name: value` and CRLF; empty, which leaves it to whoever writes the field, for a value that is too long to be kept. */
  of(value: string): string {
    if (value === this.#value) return this.#line
    if (value.length > maxKeptChars) return ''
    this.#value = value
    this.#line = `${this.#name}: ${value}\r\n`
    return this.#line
  }
}
