/**
 * Fields that do not change any more, so that what was made of them once holds for every message that has them: clients and
 * endpoints say the same again and again. It is shared by lists, which copy it before they change.
 */

/** Something that was made of a block by one who can tell whether it still holds. */
export interface Derivation {
  /** The fields that came of it. */
  readonly block: FieldBlock
}

/** A head as it was written with these fields, by one who can tell whether it would be written so again. */
export interface Writing {
  readonly text: string
}

export class FieldBlock {
  /** Four strings a field, as `HeaderList` has them. */
  readonly items: readonly string[]
  /** As `HeaderList.isSound`. */
  readonly isSound: boolean
  /** What the road made of it last. */
  derived: Derivation | undefined
  /** What a writer of the protocol made of it last. */
  written: Writing | undefined

  constructor(items: readonly string[], isSound: boolean) {
    this.items = items
    this.isSound = isSound
    this.derived = undefined
    this.written = undefined
  }
}
