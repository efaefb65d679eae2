/**
 * Header fields in the order they came, names found whatever their case. It checks nothing; it knows whether all of its fields
 * were vouched for when they were put in, so that who writes them need not check those again.
 */
import { FieldBlock } from './field-block.ts'

/** Four strings a field: the name in lower case, the name as it was written, the value, the line that it was read from. */
const stride = 4

export class HeaderList {
  /** Those of the block, where there is one. */
  #items: string[]
  #isSound: boolean
  #block: FieldBlock | undefined

  constructor() {
    this.#items = []
    this.#isSound = true
    this.#block = undefined
  }

  /** A list of the fields of a block, which it copies only when it is changed. */
  static over(block: FieldBlock): HeaderList {
    const list = new HeaderList()
    list.become(block)
    return list
  }

  static of(fields: Readonly<Record<string, string>>): HeaderList {
    const list = new HeaderList()
    for (const name of Object.keys(fields)) list.append(name, fields[name] as string)
    return list
  }

  /** How many fields there are, repeated ones counted each. */
  get size(): number {
    return this.#items.length / stride
  }

  /** Every field came by `push` or `replace`. False: names and values are whatever somebody wrote. */
  get isSound(): boolean {
    return this.#isSound
  }

  /** The block whose fields these are, every one and no other; undefined: they are the list's own. */
  get block(): FieldBlock | undefined {
    return this.#block
  }

  /** Makes a block of the fields as they are. */
  keep(): FieldBlock {
    this.#block ??= new FieldBlock(this.#items, this.#isSound)
    return this.#block
  }

  /** Takes over the fields of a block, in the place of its own. */
  become(block: FieldBlock): void {
    this.#items = block.items as string[]
    this.#isSound = block.isSound
    this.#block = block
  }

  /**
   * For parsers, and for values that one has checked: adds a field whose name in lower case is known already. The name is a
   * token, the value latin1 without CR, LF and NUL. `line`: the field as `Name: value` and CRLF, where there is such a text.
   */
  push(lower: string, name: string, value: string, line: string = ''): void {
    this.#ownItems().push(lower, name, value, line)
  }

  /** As `set`, on the terms of `push`. */
  replace(lower: string, name: string, value: string, line: string = ''): void {
    const items = this.#ownItems()
    for (let at = 0; at < items.length; at += stride) {
      if (items[at] !== lower) continue
      items[at + 1] = name
      items[at + 2] = value
      items[at + 3] = line
      this.#drop(lower, at + stride)
      return
    }
    items.push(lower, name, value, line)
  }

  /** The value of the first field of that name, which is given in lower case. */
  get(lower: string): string | undefined {
    const items = this.#items
    for (let at = 0; at < items.length; at += stride) if (items[at] === lower) return items[at + 2]
    return undefined
  }

  has(lower: string): boolean {
    return this.get(lower) !== undefined
  }

  /** The values of all fields of that name (in lower case), in order. */
  all(lower: string): readonly string[] {
    const found: string[] = []
    const items = this.#items
    for (let at = 0; at < items.length; at += stride) if (items[at] === lower) found.push(items[at + 2] as string)
    return found
  }

  /** All values of that name (in lower case) as one, joined by `, `; undefined: there is none. [RFC 9110 §5.3] */
  joined(lower: string): string | undefined {
    let whole: string | undefined
    const items = this.#items
    for (let at = 0; at < items.length; at += stride) {
      if (items[at] === lower) whole = whole === undefined ? items[at + 2] : `${whole}, ${items[at + 2]}`
    }
    return whole
  }

  append(name: string, value: string): void {
    this.#ownItems().push(name.toLowerCase(), name, value, '')
    this.#isSound = false
  }

  /** One field of that name, in the place of the first one; any further ones go. */
  set(name: string, value: string): void {
    this.replace(name.toLowerCase(), name, value)
    this.#isSound = false
  }

  /** Removes all fields of that name (in lower case). */
  delete(lower: string): void {
    if (this.has(lower)) this.#drop(lower, 0)
  }

  /** The name in lower case, the name as written and the value of the field at `index`. */
  lowerAt(index: number): string {
    return this.#items[index * stride] as string
  }

  nameAt(index: number): string {
    return this.#items[index * stride + 1] as string
  }

  valueAt(index: number): string {
    return this.#items[index * stride + 2] as string
  }

  /** The field at `index` as `Name: value` and CRLF; empty: nobody has made that text yet. */
  lineAt(index: number): string {
    return this.#items[index * stride + 3] as string
  }

  copy(): HeaderList {
    const list = new HeaderList()
    list.assign(this)
    return list
  }

  /** A list without fields, for fields of this one: it is as sound as this one is. */
  bare(): HeaderList {
    const list = new HeaderList()
    list.#isSound = this.#isSound
    return list
  }

  /** Takes over the fields of another list, in the place of its own. */
  assign(other: HeaderList): void {
    if (other.#block !== undefined) return this.become(other.#block)
    this.#items = other.#items.slice()
    this.#isSound = other.#isSound
    this.#block = undefined
  }

  /** To be changed. */
  #ownItems(): string[] {
    if (this.#block !== undefined) {
      this.#items = this.#items.slice()
      this.#block = undefined
    }
    return this.#items
  }

  #drop(lower: string, from: number): void {
    const items = this.#ownItems()
    let to = from
    for (let at = from; at < items.length; at += stride) {
      if (items[at] === lower) continue
      if (to !== at) {
        items[to] = items[at] as string
        items[to + 1] = items[at + 1] as string
        items[to + 2] = items[at + 2] as string
        items[to + 3] = items[at + 3] as string
      }
      to += stride
    }
    items.length = to
  }
}
