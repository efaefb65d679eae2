/** The key that a hashing balancer places on its ring, compiled from `hash_on` and `key`. */
import { compileTemplate } from '../base/template.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { textOfValue } from '../exchange/variable-value.ts'

export type HashKey = (exchange: Exchange) => string

export interface HashKeyConf {
  readonly hash_on: string
  readonly key?: string
}

/** As expressions see it: the text that a field's bytes stand for, so that hashing it hashes those bytes. */
const textOf = (exchange: Exchange, name: string): string | undefined => textOfValue(exchange.value(name))
const client = (exchange: Exchange): string => exchange.variable('remote_addr') ?? ''

/**
 * A function from an exchange to its key. A variable without a value, or a combination of which none has one,
 * falls back to the client's address, as APISIX does.
 */
export function compileHashKey(conf: HashKeyConf): HashKey {
  const key = conf.key ?? ''
  switch (conf.hash_on) {
    case 'vars_combinations':
      return combination(key)
    case 'header':
      return variable(`http_${key.toLowerCase().replaceAll('-', '_')}`)
    case 'cookie':
      return variable(`cookie_${key}`)
    case 'consumer':
      return variable('consumer_name')
    default:
      return variable(key)
  }
}

function variable(name: string): HashKey {
  return (exchange) => textOf(exchange, name) || client(exchange)
}

function combination(text: string): HashKey {
  const template = compileTemplate(text)
  return (exchange) => {
    let resolved = false
    const key = template.render((name) => {
      const value = textOf(exchange, name)
      if (value) resolved = true
      return value
    })
    return resolved ? key : client(exchange)
  }
}
