/** What an auth plugin does once it knows who calls. How it finds that out is its own business. */
import type { ConsumerInfo, HttpExchange } from '../exchange/http-exchange.ts'
import type { Answer, Build } from './plugin.ts'

/** Label of a consumer → the field that tells endpoints of it. */
const customIdLabel = 'custom_id'

/** The caller is this consumer. Endpoints are told by request fields; those that the client sent are removed. */
export function attachConsumer(exchange: HttpExchange, consumer: ConsumerInfo): void {
  exchange.consumer = consumer
  const { headers } = exchange.request
  headers.set('X-Consumer-Username', consumer.username)
  const tell = (name: string, lower: string, value: string | undefined): void => {
    if (value === undefined) headers.delete(lower)
    else headers.set(name, value)
  }
  tell('X-Credential-Identifier', 'x-credential-identifier', consumer.credentialId)
  tell('X-Consumer-Custom-ID', 'x-consumer-custom-id', consumer.labels[customIdLabel])
}

/**
 * For `anonymous_consumer`: the caller, who could not be authenticated, is the consumer of that name. Returns the refusal
 * (401 without `WWW-Authenticate`) if there is no such consumer.
 */
export function attachAnonymous(
  build: Pick<Build, 'consumers' | 'log' | 'owner'>,
  exchange: HttpExchange,
  username: string,
): Answer | undefined {
  const consumer = build.consumers.named(username)
  if (consumer !== undefined) {
    attachConsumer(exchange, consumer)
    return undefined
  }
  build.log.error({ owner: build.owner, consumer: username }, 'the anonymous consumer does not exist')
  return { status: 401, body: { message: 'Invalid user authorization' } }
}
