/** Which route a request takes, through a whole gateway: hosts, paths, bodies, and another way of matching after a reload. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import type { AskOptions } from '../support/http-ask.ts'
import { type HttpBackend, httpBackend } from '../support/http-backend.ts'
import { HttpClient } from '../support/http-client.ts'

const json = { 'content-type': 'application/json' }

describe('routing of HTTP through the gateway', { timeout: 120_000 }, () => {
  const backends = new Map<string, HttpBackend>()
  let gateway: TestGateway

  before(async () => {
    for (const name of ['one', 'two', 'three']) backends.set(name, await httpBackend({ name }))
    gateway = await startTestGateway({
      config: { apisix: { max_post_args_readable_size: 1 }, graphql: { max_size: 100 } },
    })
  })
  after(async () => {
    await gateway?.stop()
    for (const backend of backends.values()) await backend.stop()
  })

  const routes = async (table: Readonly<Record<string, object>>): Promise<void> => {
    for (const name of backends.keys()) {
      const upstream = { nodes: { [backends.get(name)?.node ?? '']: 1 }, type: 'roundrobin' }
      const reply = await gateway.admin('PUT', `/routes/${name}`, {
        ...(table[name] ?? { uri: `/${name}/only` }),
        upstream,
      })
      assert.ok(reply.status < 300, JSON.stringify(reply.body))
    }
  }
  const takes = async (path: string, options: AskOptions = {}): Promise<string | number> => {
    const { status, body } = await gateway.ask('http', path, options)
    return status === 200 ? String(body).trim() : status
  }

  test('hosts come first, then the path', async () => {
    await routes({
      one: { uri: '/a/b', priority: 10 },
      two: { uri: '/*', hosts: ['*.foo.test'] },
      three: { uri: '/a/*', host: 'x.foo.test' },
    })
    assert.equal(await takes('/a/b', { headers: { host: 'x.foo.test' } }), 'three')
    assert.equal(await takes('/b', { headers: { host: 'x.foo.test:80' } }), 'two')
    assert.equal(await takes('/a/b', { headers: { host: 'Y.x.FOO.test' } }), 'two')
    assert.equal(await takes('/a/b', { headers: { host: 'foo.test' } }), 'one')
    assert.equal(await takes('/a/c', { headers: { host: 'foo.test' } }), 404)
  })

  test('methods, addresses and vars', async () => {
    await routes({
      one: { uri: '/x', methods: ['PUT'] },
      two: { uri: '/x', remote_addrs: ['10.0.0.0/8'] },
      three: {
        uri: '/x',
        vars: [
          ['OR', ['arg_v', '==', 2], ['cookie_V', '~~', '^2']],
          ['http_x-v', '==', null],
        ],
      },
    })
    assert.equal(await takes('/x', { method: 'PUT' }), 'one')
    assert.equal(await takes('/x?v=2.0'), 'three')
    assert.equal(await takes('/x', { headers: { cookie: 'v=1; V=21' } }), 'three')
    assert.equal(await takes('/x?v=2', { headers: { 'X-V': '' } }), 404)
    assert.equal(await takes('/x'), 404)
  })

  test('what stands in the body, which then arrives whole', async () => {
    await routes({
      one: { uri: '/ai', vars: [['post_arg.model', '==', 'gpt']], priority: 3 },
      two: { uri: '/ai', vars: [['post_arg.messages[*].content[*].type', 'has', 'image_url']], priority: 2 },
      three: { uri: '/ai' },
    })
    const image = { messages: [{ content: [{ type: 'text' }] }, { content: [{ type: 'image_url' }] }] }
    const ask = async (body: string, headers: Readonly<Record<string, string>> = json): Promise<string | number> => {
      const name = await takes('/ai', { method: 'POST', headers, body })
      assert.equal(backends.get(String(name))?.requests.at(-1)?.body.toString(), body)
      return name
    }
    assert.equal(await ask('{"model":"gpt"}'), 'one')
    assert.equal(await ask(JSON.stringify(image)), 'two')
    assert.equal(await ask('{"model":"other"}'), 'three')
    assert.equal(await ask('not json'), 'three')
    assert.equal(await ask('model=gpt', { 'content-type': 'application/x-www-form-urlencoded' }), 'one')
    assert.equal(await ask('model=gpt', { 'content-type': 'text/plain' }), 'three')
    assert.equal(await ask(`{"model":"gpt","pad":"${'x'.repeat(1_000_000)}"}`), 'one')
    assert.equal(await ask(`{"model":"gpt","pad":"${'x'.repeat(1_100_000)}"}`), 'three')
  })

  test('a body that comes bit by bit, of a length that nobody knows', async () => {
    using client = await HttpClient.connect(gateway.port('http'))
    client.send(
      'POST /ai HTTP/1.1\r\nHost: a.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    for (const piece of ['{"mod', 'el":"g', 'pt"}']) client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`)
    client.send('0\r\n\r\n')
    assert.equal((await client.answer()).body.toString(), 'one\n')
    assert.equal(backends.get('one')?.requests.at(-1)?.body.toString(), '{"model":"gpt"}')
  })

  test('what a GraphQL request asks for', async () => {
    await routes({
      one: { uri: '/g', vars: [['graphql_operation', '==', 'mutation']] },
      two: { uri: '/g', vars: [['graphql_root_fields', 'has', 'owner']] },
      three: { uri: '/g', vars: [['graphql_name', '==', '']] },
    })
    const post = (body: string, headers = {}): Promise<string | number> =>
      takes('/g', { method: 'POST', headers, body })
    assert.equal(await post('mutation M { add }'), 'one')
    assert.equal(await post('{"query":"query Q { repo owner { name } }"}', json), 'two')
    assert.equal(await post('{ other }'), 'three')
    assert.equal(await takes('/g?query={owner}'), 'two')
    assert.equal(await post('query Q { other }'), 404)
    assert.equal(await post(`{ other } #${'x'.repeat(100)}`), 404)
  })

  test('a reload matches in another way, with parameters, and normalises paths as it is told', async () => {
    await routes({
      one: { uri: '/user/:id', vars: [['uri', '!', '==', '/user/me']] },
      two: { uri: '/user/:id/list' },
      three: { uri: '/user/*', host: 'x.foo.test' },
    })
    assert.equal(await takes('/user/7'), 404)
    gateway.configure({
      apisix: {
        router: { http: 'radixtree_uri_with_parameter' },
        delete_uri_tail_slash: true,
        normalize_uri_like_servlet: true,
        match_uri_encoded_slash: true,
      },
    })
    await gateway.reload()
    assert.equal(await takes('/user/7'), 'one')
    assert.equal(await takes('/user/me'), 404)
    assert.equal(await takes('/user/7/list'), 'two')
    assert.equal(await takes('/user/7/', { headers: { host: 'x.foo.test' } }), 'one')
    assert.equal(await takes('/user/7/8', { headers: { host: 'x.foo.test' } }), 'three')
    assert.equal(await takes('/user/7/8'), 404)
    assert.equal(await takes('/user/7%2f8'), 'one')
    assert.equal(backends.get('one')?.requests.at(-1)?.url, '/user/7%2f8')
    assert.equal(await takes('/user/7;v=1/list'), 'two')
    assert.equal(backends.get('two')?.requests.at(-1)?.url, '/user/7;v=1/list')
    assert.equal(await takes('/user/..;/list'), 400)
  })
})
