/**
 * The ring of consistent hashing, point for point as APISIX lays it out, so that a cut-over moves no sessions. It holds
 * indexes into the list it was built from; of health and of what was tried it knows nothing.
 */
import { crc32, crc32OfWord } from '../base/crc32.ts'
import type { Endpoint } from '../exchange/endpoint.ts'
import { reducedWeights } from './candidates.ts'

const pointsPerUnit = 160
/**
 * Weights without a common divisor can ask for any number of points. Above this many units (1.6 million points, some 13 MB)
 * they are scaled down, and the ring is no longer APISIX's; no endpoint with a weight loses its last unit.
 */
const maxUnits = 10_000
/** One double holds hash and index while sorting: 32 and 20 bits. */
const maxEndpoints = 2 ** 20

export class ChashRing {
  /** Ascending. */
  readonly hashes: Uint32Array
  /** `owners[i]`: index of the endpoint whose point `hashes[i]` is. */
  readonly owners: Uint32Array
  /** What the ring depends on: another list of the same identity has the same ring. */
  readonly identity: string

  constructor(endpoints: readonly Endpoint[]) {
    if (endpoints.length > maxEndpoints) throw new RangeError(`more than ${maxEndpoints} endpoints on one ring`)
    const units = unitsOf(endpoints)
    const count = units.reduce((sum, each) => sum + each, 0) * pointsPerUnit
    const points = new Float64Array(count)
    let filled = 0
    endpoints.forEach((endpoint, owner) => {
      const seed = crc32(endpoint.id.replaceAll(':', '\0'))
      let hash = 0
      for (let left = (units[owner] as number) * pointsPerUnit; left > 0; left -= 1) {
        hash = crc32OfWord(seed, hash)
        points[filled] = hash * maxEndpoints + owner
        filled += 1
      }
    })
    points.sort()
    this.hashes = new Uint32Array(count)
    this.owners = new Uint32Array(count)
    for (let index = 0; index < count; index += 1) {
      const point = points[index] as number
      const hash = Math.floor(point / maxEndpoints)
      this.hashes[index] = hash
      this.owners[index] = point - hash * maxEndpoints
    }
    this.identity = identityOf(endpoints)
  }

  /** Number of points. */
  get size(): number {
    return this.hashes.length
  }

  /** Index of the first point at or after the key's hash, wrapping round; 0 on an empty ring. */
  locate(key: string): number {
    const hash = crc32(key)
    let low = 0
    let high = this.hashes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.hashes[middle] as number) < hash) low = middle + 1
      else high = middle
    }
    return low === this.hashes.length ? 0 : low
  }
}

export function identityOf(endpoints: readonly Endpoint[]): string {
  return endpoints.map((endpoint) => `${endpoint.id} ${endpoint.weight}`).join('\n')
}

function unitsOf(endpoints: readonly Endpoint[]): readonly number[] {
  const weights = reducedWeights(endpoints)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total <= maxUnits) return weights
  return weights.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round((weight * maxUnits) / total))))
}
