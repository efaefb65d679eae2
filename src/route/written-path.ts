/**
 * The paths of HTTP routes as they are written, `/a/b`, `/a*`, `/a/*rest`, `/user/:id`: what of them is looked up, and what
 * the rest asks of a request's path. It finds no routes.
 */

/** What stands between two slashes of a path that has names. */
type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'name'; readonly name: string }
  | Rest

/** One segment or more. The first begins with `prefix`; only an asterisk at the beginning of its segment has a name. */
interface Rest {
  readonly kind: 'rest'
  readonly prefix: string
  readonly name: string | undefined
}

interface Shape {
  readonly segments: readonly Segment[]
  /** Where in `segments` there is a rest. */
  readonly stars: readonly number[]
}

export interface WrittenPath {
  readonly uri: string
  /** How many characters are looked up: all of them, or those before the first asterisk or parameter. */
  readonly keyLength: number
  /** The name of what follows a prefix, if all of it is one value. */
  readonly rest: string | undefined
  /** What the prefix alone does not settle. */
  readonly shape: Shape | undefined
}

/** Values by name, of a path that fits. */
export type Captures = Readonly<Record<string, string>>

/** Shared by all that capture nothing. */
export const noCaptures: Captures = Object.freeze(Object.create(null))

/** `parameters`: a colon at the beginning of a segment makes a parameter; otherwise it is text. */
export function readPath(uri: string, parameters: boolean): WrittenPath {
  const colon = parameters ? uri.indexOf(':') : -1
  const star = uri.indexOf('*')
  const end = colon === -1 || (star !== -1 && star < colon) ? star : colon
  if (end === -1) return { uri, keyLength: uri.length, rest: undefined, shape: undefined }
  const segments = uri.split('/').map((text) => readSegment(text, parameters))
  // Without a value to take out, what stands behind the prefix asks for nothing: `/a*`, but `/a*/b` too.
  const named = segments.some((segment) => nameOf(segment) !== undefined)
  const last = segments.at(-1)
  const alone = named && uri.indexOf('/', end) === -1 && last?.kind === 'rest' && last.prefix === ''
  return {
    uri,
    keyLength: end,
    rest: alone ? nameOf(last) : undefined,
    shape: named && !alone ? shapeOf(segments) : undefined,
  }
}

/** It is the path of one request, not the beginning of many. */
export function isExact({ uri, keyLength }: WrittenPath): boolean {
  return keyLength === uri.length
}

function readSegment(text: string, parameters: boolean): Segment {
  const star = text.indexOf('*')
  if (parameters && text.startsWith(':')) return { kind: 'name', name: text.slice(1) }
  if (star === -1) return { kind: 'text', text }
  return { kind: 'rest', prefix: text.slice(0, star), name: star === 0 ? text.slice(1) || ':ext' : undefined }
}

function shapeOf(segments: readonly Segment[]): Shape {
  return { segments, stars: segments.flatMap(({ kind }, index) => (kind === 'rest' ? [index] : [])) }
}

function nameOf(segment: Segment): string | undefined {
  return segment.kind === 'text' ? undefined : segment.name
}

/**
 * The values that a path gives; undefined: it does not fit. `path` begins with the key. `parts` are the path's own segments,
 * asked for only if they are needed.
 */
export function capture(written: WrittenPath, path: string, parts: () => readonly string[]): Captures | undefined {
  const { rest, shape } = written
  if (rest !== undefined) {
    const captures = Object.create(null) as Record<string, string>
    captures[rest] = path.slice(written.keyLength)
    return captures
  }
  return shape === undefined ? noCaptures : match(shape, parts())
}

/**
 * Asterisks take as much as they can, the first one first. That is what comes of placing from the end whatever stands
 * between two of them: the further back it goes, the more is left for those before it. No placing is ever taken back.
 */
function match({ segments, stars }: Shape, parts: readonly string[]): Captures | undefined {
  const captures = Object.create(null) as Record<string, string>
  const last = stars.length
  /** Where in `parts` that begins which stands behind the asterisk looked at. */
  let next = parts.length
  for (let group = last; group >= 0; group -= 1) {
    const from = group === 0 ? 0 : (stars[group - 1] as number) + 1
    const to = group === last ? segments.length : (stars[group] as number)
    const size = to - from
    const star = group === last ? undefined : (segments[to] as Rest)
    // What begins or ends the path has one place. Elsewhere the asterisk behind takes one part at least.
    let at = group === last ? next - size : group === 0 ? 0 : next - size - 1
    const lowest = group === 0 || group === last ? at : 1
    while (at >= lowest && !(leavesRest(star, parts, at + size, next) && fits(segments, from, to, parts, at))) at -= 1
    if (at < lowest || at < 0 || (group === 0 && at > 0)) return undefined
    // Of two with one name the last counts.
    if (star?.name !== undefined) captures[star.name] ??= parts.slice(at + size, next).join('/')
    for (let index = to - 1; index >= from; index -= 1) {
      const segment = segments[index] as Segment
      if (segment.kind === 'name') captures[segment.name] ??= parts[at + index - from] as string
    }
    next = at
  }
  return captures
}

/** The segments from `from` to `to` stand in `parts` at `at`. */
function fits(segments: readonly Segment[], from: number, to: number, parts: readonly string[], at: number): boolean {
  for (let index = from; index < to; index += 1) {
    const segment = segments[index] as Segment
    const part = parts[at + index - from]
    if (part === undefined || (segment.kind === 'text' ? part !== segment.text : part === '')) return false
  }
  return true
}

/** The asterisk finds something between `at` and `next` that begins as it wants it. */
function leavesRest(star: Rest | undefined, parts: readonly string[], at: number, next: number): boolean {
  return star === undefined || (at < next && (parts[at] as string).startsWith(star.prefix))
}
