/** The fields that configuration alone puts on answers: Server, and the character set in Content-Type. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { until } from '../support/until.ts'

let backend: HttpBackend
let gateway: TestGateway

before(async () => {
  backend = await httpBackend({
    answer: ({ url }, response) => {
      response.setHeader('server', 'the endpoint')
      response.setHeader('content-type', decodeURIComponent(url.slice('/types/'.length)))
      response.end('"text"')
    },
  })
  gateway = await startTestGateway({
    resources: {
      '/routes/types': { uri: '/types/*', upstream: { nodes: { [backend.node]: 1 }, type: 'roundrobin' } },
    },
  })
  await until(async () => (await fields('text/html'))[0] === 'text/html; charset=utf-8', { what: 'the route' })
})
after(async () => {
  await gateway?.stop()
  await backend?.stop()
})

async function fields(type: string): Promise<readonly unknown[]> {
  const { headers } = await gateway.ask('http', `/types/${encodeURIComponent(type)}`)
  return [headers['content-type'], headers['server']]
}

/** Puts a configuration in force, by which text becomes so. */
async function configured(config: object, type: string): Promise<void> {
  gateway.configure(config)
  assert.deepEqual(await gateway.reload(), [])
  await until(async () => (await fields('text/html'))[0] === type, { what: type })
}

test('text that names no character set gets the one of the configuration, other types and other sets stay', async () => {
  await configured(
    { nginx_config: { http: { charset: 'iso-8859-1' } }, apisix: { enable_server_tokens: false } },
    'text/html; charset=iso-8859-1',
  )
  assert.deepEqual(await fields('text/html'), ['text/html; charset=iso-8859-1', 'APISIX'])
  assert.deepEqual(await fields('text/plain; charset=utf-8'), ['text/plain; charset=utf-8', 'APISIX'])
  assert.deepEqual(await fields('application/json'), ['application/json', 'APISIX'])
})

test('the character set off adds none', async () => {
  await configured({ nginx_config: { http: { charset: 'off' } } }, 'text/html')
  assert.deepEqual(await fields('text/html'), ['text/html', 'APISIX/3.18.0'])
})
