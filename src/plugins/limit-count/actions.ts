/** Limits that workflow has run for an exchange: the route's own one of the same name steps aside then. */
import type { Build, Exchange } from '#sdk'

export interface Actions {
  /** Whether the plugin that asks has to step aside. An action is noted by asking, and never steps aside. */
  ran(exchange: Exchange): boolean
}

/** `_vid` is what workflow marks its actions with. */
export function actionsOf({ _vid }: { readonly _vid?: number }, build: Build): Actions {
  // Most gateways have no such action: then it costs a field.
  const noted = build.standing('actions', () => ({ any: false, exchanges: new WeakSet<Exchange>() }))
  if (_vid === undefined) return { ran: (exchange) => noted.any && noted.exchanges.has(exchange) }
  noted.any = true
  return {
    ran(exchange) {
      noted.exchanges.add(exchange)
      return false
    },
  }
}
