/** GraphQL's text, token by token. It knows where tokens end, not what they mean together. [GraphQL October 2021 §2.1] */

/** Name, number, string, punctuator; the end of the text. */
export type TokenKind = 'name' | 'value' | 'sign' | 'end'

const nameStart = /[_A-Za-z]/
const name = /[_A-Za-z0-9]+/y
const number = /-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const ignored = /[\s,\ufeff]+/y
const signs = '!$&()[]{}:=@|'

export class GraphqlTokens {
  readonly #text: string
  #at = 0
  kind: TokenKind = 'end'
  /** As written; of strings only the quote. */
  token = ''

  /** Stands at the first token. */
  constructor(text: string) {
    this.#text = text
    this.next()
  }

  /** Throws an Error at what is no token. */
  next(): void {
    this.#skipIgnored()
    const first = this.#text.charAt(this.#at)
    if (first === '') this.#set('end', '')
    else if (nameStart.test(first)) this.#set('name', this.#match(name))
    else if (signs.includes(first)) this.#take('sign', first)
    else if (this.#text.startsWith('...', this.#at)) this.#take('sign', '...')
    else if (first === '"') this.#string()
    else this.#set('value', this.#match(number))
  }

  /** Whether it is this sign; steps over it. */
  takes(sign: string): boolean {
    if (this.kind !== 'sign' || this.token !== sign) return false
    this.next()
    return true
  }

  /** The name that stands here; steps over it. Throws an Error if there is none. */
  name(): string {
    const { kind, token } = this
    if (kind !== 'name') throw new Error('a name is needed')
    this.next()
    return token
  }

  /** Steps over everything up to the sign that closes the one that was just taken. */
  skipTo(close: string): void {
    const open = close === ')' ? '(' : '{'
    for (let depth = 1; depth > 0; this.next()) {
      if (this.kind === 'end') throw new Error(`'${close}' is missing`)
      if (this.kind !== 'sign') continue
      if (this.token === open) depth += 1
      else if (this.token === close) depth -= 1
    }
  }

  #skipIgnored(): void {
    for (;;) {
      this.#match(ignored, true)
      if (this.#text.charAt(this.#at) !== '#') return
      const end = this.#text.slice(this.#at).search(/[\r\n]/)
      this.#at = end === -1 ? this.#text.length : this.#at + end
    }
  }

  #string(): void {
    const text = this.#text
    const isBlock = text.startsWith('"""', this.#at)
    const quote = isBlock ? '"""' : '"'
    let at = this.#at + quote.length
    for (;;) {
      at = text.indexOf(quote, at)
      if (at === -1) throw new Error('a string is not closed')
      let escapes = 0
      while (text.charAt(at - 1 - escapes) === '\\') escapes += 1
      // In block strings only \""" is an escape; a backslash before another one escapes nothing.
      if (isBlock ? escapes === 0 : escapes % 2 === 0) break
      at += quote.length
    }
    this.#at = at + quote.length
    this.#set('value', '"')
  }

  #match(pattern: RegExp, isOptional = false): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) {
      if (isOptional) return ''
      throw new Error(`'${this.#text.charAt(this.#at)}' is no token`)
    }
    this.#at += found.length
    return found
  }

  #take(kind: TokenKind, token: string): void {
    this.#at += token.length
    this.#set(kind, token)
  }

  #set(kind: TokenKind, token: string): void {
    this.kind = kind
    this.token = token
  }
}
