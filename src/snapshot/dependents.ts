/** Who has to be compiled again when something changes: a reverse index of references. */

const none: ReadonlySet<string> = new Set()

export class Dependents {
  readonly #byTarget = new Map<string, Set<string>>()
  readonly #targets = new Map<string, readonly string[]>()

  /** States anew all that `dependent` refers to. */
  set(dependent: string, targets: readonly string[]): void {
    for (const target of this.#targets.get(dependent) ?? []) {
      const set = this.#byTarget.get(target)
      set?.delete(dependent)
      if (set?.size === 0) this.#byTarget.delete(target)
    }
    if (targets.length === 0) this.#targets.delete(dependent)
    else this.#targets.set(dependent, targets)
    for (const target of targets) {
      const set = this.#byTarget.get(target)
      if (set === undefined) this.#byTarget.set(target, new Set([dependent]))
      else set.add(dependent)
    }
  }

  /** Those that refer to `target`. */
  of(target: string): ReadonlySet<string> {
    return this.#byTarget.get(target) ?? none
  }
}
