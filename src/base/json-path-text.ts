/** The text of a JSONPath while it is read: what stands at the place reached, and what of it can be taken. */

export class PathText {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get ended(): boolean {
    return this.#at >= this.#text.length
  }

  peek(): string {
    return this.#text.charAt(this.#at)
  }

  /** Steps over `piece` if it stands here. */
  take(piece: string): boolean {
    if (!this.#text.startsWith(piece, this.#at)) return false
    this.#at += piece.length
    return true
  }

  expect(piece: string): void {
    this.blanks()
    if (!this.take(piece)) throw this.error(`'${piece}' is needed`)
  }

  blanks(): void {
    while (this.peek() === ' ' || this.peek() === '\t') this.#at += 1
  }

  /** A name without quotes. */
  name(): string {
    return this.#match(/[^.[\]()*?,:'"@$=!<>&|\s]+/y) ?? this.#fail('a name is needed')
  }

  /** Undefined: no quote stands here. A backslash takes the character behind it as it is. */
  quoted(): string | undefined {
    const quote = this.peek()
    if (quote !== "'" && quote !== '"') return undefined
    const written = this.#match(quote === "'" ? /'(?:[^'\\]|\\.)*'/y : /"(?:[^"\\]|\\.)*"/y)
    if (written === undefined) throw this.error('a quote is not closed')
    return written.slice(1, -1).replaceAll(/\\(.)/g, '$1')
  }

  integer(): number | undefined {
    const digits = this.#match(/-?[0-9]{1,9}/y)
    return digits === undefined ? undefined : Number(digits)
  }

  number(): number | undefined {
    const digits = this.#match(/-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y)
    return digits === undefined ? undefined : Number(digits)
  }

  error(reason: string): Error {
    return new Error(`invalid expression '${this.#text}': ${reason} at ${this.#at + 1}`)
  }

  #fail(reason: string): never {
    throw this.error(reason)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }
}
