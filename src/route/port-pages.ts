/** Something for each of some ports, immutable: two levels of 256, so that a change copies two short arrays. */

const pageSize = 256

export class PortPages<Value> {
  readonly #pages: readonly (readonly (Value | undefined)[] | undefined)[]

  constructor(pages: readonly (readonly (Value | undefined)[] | undefined)[] = []) {
    this.#pages = pages
  }

  /** Undefined also for what is no port. */
  get(port: number): Value | undefined {
    return this.#pages[port >>> 8]?.[port & (pageSize - 1)]
  }

  /** These pages with some ports set, or, where the new value is undefined, emptied. */
  with(updates: ReadonlyMap<number, Value | undefined>): PortPages<Value> {
    if (updates.size === 0) return this
    const pages = [...this.#pages]
    while (pages.length < pageSize) pages.push(undefined)
    const own = new Map<number, (Value | undefined)[]>()
    for (const [port, value] of updates) {
      const index = port >>> 8
      let page = own.get(index)
      if (page === undefined) {
        page = [...(pages[index] ?? new Array<Value | undefined>(pageSize).fill(undefined))]
        own.set(index, page)
        pages[index] = page
      }
      page[port & (pageSize - 1)] = value
    }
    return new PortPages(pages)
  }
}
