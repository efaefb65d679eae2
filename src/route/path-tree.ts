/**
 * Entries by path, immutable: a radix tree in which exact paths and prefixes share their beginnings. A change copies the
 * nodes on the way to what it touches, each once however many paths a change has.
 */
import type { Change } from './change.ts'
import { changeEntries, type EntrySet, findEntry } from './entry-set.ts'
import type { PathEntry, PathFacts } from './path-entry.ts'

/** All that happens to the entries of one key. */
export interface KeyChange {
  readonly key: string
  readonly exact: Change<PathEntry>
  readonly prefix: Change<PathEntry>
}

interface Node {
  /** What stands between its parent's path and its own. */
  readonly label: string
  /** The first characters of the children's labels, in the order of `children`. */
  readonly firsts: string
  readonly children: readonly Node[]
  readonly exact: EntrySet | undefined
  readonly prefix: EntrySet | undefined
}

const noChildren: readonly Node[] = []

export class PathTree {
  static readonly empty = new PathTree(undefined)
  readonly #root: Node | undefined

  private constructor(root: Node | undefined) {
    this.#root = root
  }

  get isEmpty(): boolean {
    return this.#root === undefined
  }

  /** An exact path before any prefix, the longer prefix before the shorter; what comes first must fit the rest, too. */
  find(facts: PathFacts): PathEntry | undefined {
    return this.#root === undefined ? undefined : find(this.#root, 0, facts)
  }

  /** One change for each key. */
  with(changes: readonly KeyChange[]): PathTree {
    if (changes.length === 0) return this
    const sorted = changes.length === 1 ? changes : [...changes].sort((a, b) => (a.key < b.key ? -1 : 1))
    return new PathTree(change(this.#root, { changes: sorted, from: 0, to: sorted.length, depth: 0 }))
  }
}

function find(node: Node, at: number, facts: PathFacts): PathEntry | undefined {
  const { label, children, exact, prefix } = node
  const { path } = facts
  if (!path.startsWith(label, at)) return undefined
  const end = at + label.length
  let found: PathEntry | undefined
  if (end === path.length) {
    if (exact !== undefined) found = findEntry(exact, facts)
  } else if (children.length > 0) {
    const child = children[children.length === 1 ? 0 : node.firsts.indexOf(path[end] as string)]
    if (child !== undefined) found = find(child, end, facts)
  }
  return found === undefined && prefix !== undefined ? findEntry(prefix, facts) : found
}

/** Changes in order of their keys, from `from` to `to`, which agree in the first `depth` characters. */
interface Part {
  readonly changes: readonly KeyChange[]
  readonly from: number
  readonly to: number
  readonly depth: number
}

/** The node that takes the place of this one, whose label begins at the depth of the part; undefined: none is needed. */
function change(node: Node | undefined, part: Part): Node | undefined {
  const label = node?.label ?? sharedText(part)
  const same = node === undefined ? label.length : agreement(label, part)
  if (node !== undefined && same < label.length) return change(split(node, same), part)
  const depth = part.depth + same
  let { from } = part
  let exact = node?.exact
  let prefix = node?.prefix
  const own = part.changes[from] as KeyChange
  if (own.key.length === depth) {
    exact = changeEntries(exact, own.exact)
    prefix = changeEntries(prefix, own.prefix)
    from += 1
  }
  const children = changeChildren(node, { ...part, from, depth })
  return tidy({ label, firsts: '', children, exact, prefix })
}

function changeChildren(node: Node | undefined, part: Part): readonly Node[] {
  const { changes, to, depth } = part
  if (part.from === to) return node?.children ?? noChildren
  const children = [...(node?.children ?? noChildren)]
  for (let from = part.from; from < to; ) {
    const first = (changes[from] as KeyChange).key.charCodeAt(depth)
    let end = from + 1
    while (end < to && (changes[end] as KeyChange).key.charCodeAt(depth) === first) end += 1
    const index = children.findIndex(({ label }) => label.charCodeAt(0) === first)
    const child = change(children[index], { changes, from, to: end, depth })
    if (child === undefined) {
      if (index !== -1) children.splice(index, 1)
    } else if (index === -1) children.push(child)
    else children[index] = child
    from = end
  }
  return children
}

/** A node without entries is kept only where paths part. */
function tidy(node: Node): Node | undefined {
  const { label, children, exact, prefix } = node
  if (exact === undefined && prefix === undefined && children.length <= 1) {
    const [only] = children
    return only === undefined ? undefined : { ...only, label: label + only.label }
  }
  const firsts = children.length <= 1 ? '' : children.map((child) => child.label[0]).join('')
  return { label, firsts, children: children.length === 0 ? noChildren : children, exact, prefix }
}

/** The same as two nodes, the upper with the first `length` characters of the label. */
function split(node: Node, length: number): Node {
  const lower = { ...node, label: node.label.slice(length) }
  return { label: node.label.slice(0, length), firsts: '', children: [lower], exact: undefined, prefix: undefined }
}

/** What all keys of the part have in common behind its depth: what the first and the last have. */
function sharedText({ changes, from, to, depth }: Part): string {
  const first = (changes[from] as KeyChange).key
  const last = (changes[to - 1] as KeyChange).key
  return first.slice(depth, depth + agreementOf(first, last, depth))
}

/** How many characters of the label all keys of the part have. */
function agreement(label: string, { changes, from, to, depth }: Part): number {
  const first = (changes[from] as KeyChange).key
  const last = (changes[to - 1] as KeyChange).key
  let same = 0
  while (same < label.length && first[depth + same] === label[same] && last[depth + same] === label[same]) same += 1
  return same
}

function agreementOf(a: string, b: string, from: number): number {
  let at = from
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1
  return at - from
}
