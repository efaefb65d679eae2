/** What a request carries once the caller is known. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attachAnonymous, attachConsumer } from '../../../../src/plugin/attach-consumer.ts'
import { emptyDirectory } from '../../../../src/plugin/consumer-directory.ts'
import { httpExchange, linesOf } from '../../../support/http-exchange.ts'

const jack = { username: 'jack', groupId: undefined, credentialId: undefined, labels: {} }
const forged = {
  Host: 'a',
  'x-consumer-username': 'root',
  'X-Credential-Identifier': 'root',
  'X-Consumer-Custom-Id': 'root',
}

test('what the client says of consumers is removed', () => {
  const exchange = httpExchange({ headers: forged })
  attachConsumer(exchange, jack)
  assert.equal(exchange.consumer, jack)
  assert.deepEqual(linesOf(exchange.request.headers), ['Host: a', 'X-Consumer-Username: jack'])
})

test('endpoints are told the credential and the custom id', () => {
  const exchange = httpExchange({ headers: forged })
  attachConsumer(exchange, { ...jack, credentialId: 'c1', labels: { custom_id: '495', team: 'a' } })
  assert.deepEqual(linesOf(exchange.request.headers).slice(1), [
    'X-Consumer-Username: jack',
    'X-Credential-Identifier: c1',
    'X-Consumer-Custom-ID: 495',
  ])
})

test('an anonymous consumer is attached by name, and one that does not exist refuses', () => {
  const faults: string[] = []
  const log = { warn() {}, error: (_fields: object, message: string) => void faults.push(message) }
  const consumers = { ...emptyDirectory, named: (name: string) => (name === 'jack' ? jack : undefined) }
  const build = { consumers, log, owner: 'routes/1' }
  const exchange = httpExchange()
  assert.equal(attachAnonymous(build, exchange, 'jack'), undefined)
  assert.equal(exchange.consumer, jack)
  assert.deepEqual(attachAnonymous(build, exchange, 'joe'), {
    status: 401,
    body: { message: 'Invalid user authorization' },
  })
  assert.deepEqual(faults, ['the anonymous consumer does not exist'])
})
