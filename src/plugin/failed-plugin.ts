/**
 * What stands in a chain for a plugin that did not start. Requests are refused: to let them pass would open what the plugin
 * may have been there to close.
 */
import { GatewayError } from '../errors.ts'
import type { Phases } from './plugin.ts'

export function failedPlugin(name: string, reason: unknown): Phases {
  const message = `plugin ${name} did not start: ${reason instanceof Error ? reason.message : String(reason)}`
  const refuse = (): never => {
    throw new GatewayError('internal', message, reason)
  }
  // Of a consumer's plugins, only the second is always due.
  return { rewrite: refuse, access: refuse }
}
