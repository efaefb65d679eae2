/**
 * Members without an order in one array, each of which knows its place there: for what comes and goes with traffic. Not a `Set`:
 * each table that a Set outgrows points to the next one, so that a single one that has become old keeps alive, until a full
 * collection, all that has come and gone since.
 */

export interface DenseMember {
  /** The set's own: where the member stands in it; -1: it is in none. */
  place: number
}

export class DenseSet<T extends DenseMember> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  /** A member can be in one set at a time; one that is in a set already stays where it is. */
  add(member: T): void {
    if (member.place !== -1) return
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** Of a member of this set, or of none. The last one takes its place. */
  delete(member: T): void {
    const { place } = member
    if (place === -1) return
    const last = this.#members.pop() as T
    if (last !== member) {
      last.place = place
      this.#members[place] = last
    }
    member.place = -1
  }

  /** Those of now; the set may change meanwhile. */
  list(): readonly T[] {
    return this.#members.slice()
  }
}
