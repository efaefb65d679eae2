import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { HttpClient, type Wanted } from '../../../../benchmark/soak/http-client.ts'

const server = createServer((request, response) => {
  if (request.url === '/cut')
    return void response.writeHead(200, { 'Content-Length': 10 }).write('part', () => response.destroy())
  if (request.url === '/broken') return void response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('no gzip')
  if (request.url === '/packed')
    return void response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('body'))
  response.writeHead(200, { 'X-Turn': '7' }).end('body')
})
let client: HttpClient
before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  client = new HttpClient({ http: (server.address() as AddressInfo).port, https: 1 }, '')
})
after(() => {
  client.close()
  server.close()
})

test('an answer that is as wanted is no fault, packed or not, on a kept connection or a new one', async () => {
  const wanted: Wanted = { status: 200, body: /^body$/ }
  for (const path of ['/', '/packed']) {
    for (const fresh of [false, true]) assert.equal(await client.check({ path, fresh }, wanted), undefined, path)
  }
  const headers = { 'x-turn': '7', 'x-other': undefined }
  assert.equal(await client.check({ path: '/' }, { status: 200, headers, body: Buffer.from('body') }), undefined)
})

test('whatever is not as wanted is told, with what was asked and what came', async () => {
  const cases: readonly (readonly [string, Wanted, RegExp])[] = [
    ['/', { status: 404 }, /^GET \/ .*status 200 instead of 404; the answer was 200 .*"body"$/],
    ['/', { status: 200, headers: { 'x-turn': '8' } }, /x-turn is 7 instead of 8/],
    ['/', { status: 200, headers: { 'x-turn': undefined } }, /x-turn is 7 instead of undefined/],
    ['/', { status: 200, body: /^other$/ }, /a body unlike/],
    ['/', { status: 200, body: Buffer.from('bodies') }, /4 bytes that are not the 6 wanted/],
    ['/', { status: 200, fingerprint: 'AA' }, /the certificate is {2}instead of AA/],
    ['/cut', { status: 200 }, /^GET \/cut .*(aborted|ECONNRESET)/],
    ['/broken', { status: 200 }, /Z_DATA_ERROR/],
  ]
  for (const [path, wanted, expected] of cases) {
    assert.match((await client.check({ path }, wanted)) ?? 'no fault', expected)
  }
})
