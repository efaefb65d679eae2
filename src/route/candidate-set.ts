/**
 * The candidates for connections of which port and name are settled, immutable. Those for certain clients are found by the
 * client's address, with one look for each length of block that occurs; the others are gone through in order.
 */
import { type Address, type Cidr, maskAddress } from '../base/ip-set.ts'
import { better, type Candidate, compareRank, type Facts, fits } from './candidate.ts'
import { type Change, changeAt, changeCount } from './change.ts'
import { PersistentMap } from './persistent-map.ts'
import { changeList } from './ranked-list.ts'

interface Parts {
  /** By `keyOf`. */
  readonly byBlock: PersistentMap<Address, readonly Candidate[]>
  /** How many blocks there are of each length that occurs, for either family. */
  readonly lengths4: ReadonlyMap<number, number>
  readonly lengths6: ReadonlyMap<number, number>
  /** For all clients. */
  readonly others: readonly Candidate[]
}

export class CandidateSet {
  static readonly empty = new CandidateSet({
    byBlock: PersistentMap.empty(),
    lengths4: new Map(),
    lengths6: new Map(),
    others: [],
  })

  readonly #parts: Parts

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  get isEmpty(): boolean {
    return this.#parts.byBlock.size === 0 && this.#parts.others.length === 0
  }

  /** The first that fits, by priority and then load order. */
  find(facts: Facts): Candidate | undefined {
    const { byBlock, lengths4, lengths6, others } = this.#parts
    let found: Candidate | undefined
    const remote = byBlock.size === 0 ? undefined : facts.remote
    if (remote !== undefined) {
      for (const length of (typeof remote === 'number' ? lengths4 : lengths6).keys()) {
        const list = byBlock.get(keyOf(maskAddress(remote, length), length))
        if (list !== undefined) found = better(found, firstFit(list, facts, found))
      }
    }
    return better(found, firstFit(others, facts, found))
  }

  with(change: Change<Candidate>): CandidateSet {
    const blocks = new Map<Address, { add: Candidate[]; remove: Candidate[] }>()
    const others = { add: [] as Candidate[], remove: [] as Candidate[] }
    const parsed = new Map<Address, Cidr>()
    for (const side of ['add', 'remove'] as const) {
      for (const candidate of change[side]) {
        if (candidate.blocks === undefined) others[side].push(candidate)
        for (const block of candidate.blocks ?? []) {
          const key = keyOf(block.address, block.length)
          parsed.set(key, block)
          const part = changeAt(blocks, key)[side]
          // A route may name one block twice, in two spellings.
          if (part.at(-1) !== candidate) part.push(candidate)
        }
      }
    }
    const { byBlock, lengths4, lengths6 } = this.#parts
    const counts = { number: new Map(lengths4), bigint: new Map(lengths6) }
    const updates = new Map<Address, readonly Candidate[] | undefined>()
    for (const [key, part] of blocks) {
      const before = byBlock.get(key)
      const list = changeList(before ?? [], part, compareRank)
      updates.set(key, list.length === 0 ? undefined : list)
      const { address, length } = parsed.get(key) as Cidr
      const family = typeof address === 'number' ? counts.number : counts.bigint
      changeCount(family, length, Number(list.length > 0) - Number(before !== undefined))
    }
    return new CandidateSet({
      byBlock: byBlock.with(updates),
      lengths4: counts.number,
      lengths6: counts.bigint,
      others: changeList(this.#parts.others, others, compareRank),
    })
  }
}

/** One number for a block: a double has room for 32 bits of address and 6 of length. */
function keyOf(address: Address, length: number): Address {
  return typeof address === 'number' ? address + length * 2 ** 32 : (address << 8n) | BigInt(length)
}

/** `known` fits already: those behind it need not be asked. */
function firstFit(list: readonly Candidate[], facts: Facts, known: Candidate | undefined): Candidate | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const candidate = list[index] as Candidate
    if (known !== undefined && compareRank(known, candidate) < 0) return undefined
    if (fits(candidate, facts)) return candidate
  }
  return undefined
}
