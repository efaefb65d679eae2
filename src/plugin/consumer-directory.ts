/** Who may call, as auth plugins ask for it. What stands behind it follows the configuration while traffic runs. */
import type { JsonObject } from '../base/json.ts'
import type { ConsumerInfo } from '../exchange/http-exchange.ts'

/** A consumer found by a credential. */
export interface ConsumerMatch {
  readonly consumer: ConsumerInfo
  /** The auth plugin's configuration on the consumer or credential, defaults filled in, references resolved. */
  readonly conf: JsonObject
}

export interface ConsumerDirectory {
  /** The consumer whose configuration of `plugin` has this value in `field`; of several, the one loaded last. */
  find(plugin: string, field: string, value: string): ConsumerMatch | undefined
  /** Some consumer or credential has a configuration of `plugin`. */
  knows(plugin: string): boolean
  named(username: string): ConsumerInfo | undefined
}

export const emptyDirectory: ConsumerDirectory = {
  find: () => undefined,
  knows: () => false,
  named: () => undefined,
}
