/** Endpoints for tests of pickers: loads that really count, health and weight as asked for. */
import type { Endpoint } from '../../src/exchange/endpoint.ts'
import { createLoad } from '../../src/exchange/load.ts'
import { manualClock } from './manual-clock.ts'

export interface EndpointShape {
  readonly weight?: number
  readonly priority?: number
  readonly healthy?: boolean
}

export function endpointOf(id: string, shape: EndpointShape = {}): Endpoint {
  const colon = id.lastIndexOf(':')
  return {
    id,
    host: id.slice(0, colon).replace(/^\[|\]$/g, ''),
    port: Number(id.slice(colon + 1)),
    weight: shape.weight ?? 1,
    priority: shape.priority ?? 0,
    domain: undefined,
    healthy: shape.healthy ?? true,
    load: createLoad(undefined, manualClock()),
  }
}

/** 10.0.0.1:80, 10.0.0.2:80, … of these weights. */
export function endpointsOf(...weights: readonly number[]): readonly Endpoint[] {
  return weights.map((weight, index) => endpointOf(`10.0.${index >> 8}.${(index & 255) + 1}:80`, { weight }))
}
