/** An endpoint: one address that an upstream may be reached at, with the load that outlives any revision. */

/** Standing: survives rebuilds of pickers and new revisions for as long as the endpoint is named by its upstream. */
export interface Load {
  /** Exchanges in progress on this endpoint, over all workers. */
  readonly inFlight: number
  /** Moving average of connect plus response time in ms, decayed to now; 0 when nothing was seen lately. */
  readonly latencyMs: number
  /** Called when an attempt on the endpoint begins and ends; `elapsedMs` only when it had an answer worth learning from. */
  begin(): void
  end(elapsedMs?: number): void
}

export interface Endpoint {
  /** `host:port` of the numeric address; what `tried` lists are compared by and what chash places on its ring. */
  readonly id: string
  readonly host: string
  readonly port: number
  readonly weight: number
  /** Greater is preferred; lower groups are used only when the higher ones are exhausted. */
  readonly priority: number
  /** The name that was configured, when it was resolved to `host`. */
  readonly domain: string | undefined
  /** A field read: the verdict of active and passive checks. */
  readonly healthy: boolean
  readonly load: Load
}
