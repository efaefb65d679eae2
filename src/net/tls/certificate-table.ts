/**
 * Which certificate serves which name. Immutable: a change makes a new table that shares all but the changed parts.
 */
import type { Certificate } from './certificate.ts'
import { Shards } from './shards.ts'

export class CertificateTable {
  readonly #byId: Shards<Certificate>
  /** By pattern; where several resources claim one, in the order in which they came. */
  readonly #byPattern: Shards<readonly Certificate[]>

  /** Without arguments: an empty table. The arguments are for `with`. */
  constructor(byId = new Shards<Certificate>(), byPattern = new Shards<readonly Certificate[]>()) {
    this.#byId = byId
    this.#byPattern = byPattern
  }

  /** How many resources there are, active or not. */
  get size(): number {
    return this.#byId.size
  }

  /** The resource of that id, whatever its type and status: upstreams name their client certificates so. */
  get(id: string): Certificate | undefined {
    return this.#byId.get(id)
  }

  /** A table in which the resource is this one, or gone. It keeps its place among those that claim the same pattern. */
  with(id: string, certificate: Certificate | undefined): CertificateTable {
    const previous = this.#byId.get(id)
    const before = served(previous)
    const after = served(certificate)
    let patterns = this.#byPattern
    for (const pattern of new Set([...before, ...after])) {
      const entry = after.includes(pattern) ? certificate : undefined
      patterns = patterns.with(pattern, replaced(patterns.get(pattern) ?? [], id, entry))
    }
    return new CertificateTable(this.#byId.with(id, certificate), patterns)
  }

  /**
   * The certificate for a name as a ClientHello gives it: of that very name, else of `*.` for exactly one label, else of `*`.
   * Of several for one pattern the one that came first. Undefined without a name: what then serves is the caller's to say.
   */
  find(serverName: string | undefined): Certificate | undefined {
    if (serverName === undefined) return undefined
    const exact = this.#byPattern.get(serverName)
    if (exact !== undefined) return exact[0]
    const dot = serverName.indexOf('.')
    const wildcard = dot > 0 ? this.#byPattern.get(`*${serverName.slice(dot)}`) : undefined
    return (wildcard ?? this.#byPattern.get('*'))?.[0]
  }
}

function served(certificate: Certificate | undefined): readonly string[] {
  return certificate?.active && certificate.type === 'server' ? certificate.snis : []
}

/** The claims of one pattern with the claim of `id` replaced in its place, appended, or taken out; undefined for none left. */
function replaced(
  claims: readonly Certificate[],
  id: string,
  entry: Certificate | undefined,
): readonly Certificate[] | undefined {
  const at = claims.findIndex((claim) => claim.id === id)
  const next = claims.slice()
  if (at === -1) {
    if (entry !== undefined) next.push(entry)
  } else if (entry === undefined) next.splice(at, 1)
  else next[at] = entry
  return next.length === 0 ? undefined : next
}
