/** Signatures agreed with those who build on them; the wheel itself follows. */
export interface Timer {
  /** Starts the same time over again: a store of a number. */
  refresh(): void
  cancel(): void
}
