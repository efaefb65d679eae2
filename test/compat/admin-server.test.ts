import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { WriteError } from '../../src/config/source.ts'
import { adminKey, type RunningAdmin, send, startAdmin, startAdminFor, viewerKey } from '../support/admin-server.ts'
import { until } from '../support/until.ts'

let admin: RunningAdmin
before(async () => {
  admin = await startAdmin()
})
after(() => admin.close())

const service = { name: 's' }
const unauthorized = (description: string) => `{"error_msg":"failed to check token","description":"${description}"}\n`

test('every reply names the version that tools look for, and says JSON without a charset', async () => {
  for (const [method, path] of [
    ['GET', '/routes'],
    ['GET', '/nothing-of-the-kind'],
    ['GET', '/services/9'],
  ] as const) {
    const { headers } = await admin.call(method, path)
    assert.equal(headers['server'], 'APISIX/3.18.0')
    assert.equal(headers['content-type'], 'application/json')
  }
  assert.equal((await admin.call('GET', '/routes')).headers['x-api-version'], 'v3')
  assert.equal((await admin.call('GET', '/services/9')).headers['x-api-version'], 'v3')
})

test('without server tokens the version is left out', async (t) => {
  const quiet = await startAdminFor(t, { serverTokens: false })
  assert.equal((await quiet.call('GET', '/services')).headers['server'], 'APISIX')
})

test('the key is taken from the query, the header or the cookie, in this order', async () => {
  const calls: [query: string, headers: Record<string, string>, status: number][] = [
    [`?api_key=${adminKey}`, {}, 200],
    ['', { 'x-api-key': adminKey }, 200],
    ['', { cookie: `a=b; x_api_key=${adminKey}` }, 200],
    ['?api_key=wrong', { 'x-api-key': adminKey }, 401],
    ['', { 'x-api-key': 'wrong', cookie: `x_api_key=${adminKey}` }, 401],
  ]
  for (const [query, headers, status] of calls) {
    const answer = await admin.call('GET', `/services${query}`, undefined, headers)
    assert.equal(answer.status, status, JSON.stringify([query, headers]))
    if (status === 401) assert.equal(answer.text, unauthorized('wrong apikey'))
  }
})

test('without a key, and with a viewer who writes, the answer is 401 and says why', async () => {
  const missing = await admin.call('GET', '/services', undefined, {})
  assert.deepEqual([missing.status, missing.text], [401, unauthorized('missing apikey')])
  const viewer = { 'x-api-key': viewerKey }
  assert.equal((await admin.call('GET', '/services', undefined, viewer)).status, 200)
  for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
    const answer = await admin.call(method, '/services/1', '{}', viewer)
    assert.deepEqual([answer.status, answer.text], [401, unauthorized('invalid method for role viewer')], method)
  }
  assert.equal((await admin.call('GET', '/services/1')).status, 404)
})

test('no key is asked for when none is required', async (t) => {
  const open = await startAdminFor(t, {
    admin: { keyRequired: false, keys: [], cors: true, allow: undefined, apiVersion: 'v3' },
  })
  assert.equal((await open.call('PUT', '/services/1', service, {})).status, 201)
})

test('an address outside of the allow list gets a 403 page before anything else', async (t) => {
  const settings = { keyRequired: true, keys: [], cors: true, apiVersion: 'v3' }
  const closed = await startAdminFor(t, { admin: { ...settings, allow: ['10.0.0.0/8', '::1'] } })
  for (const method of ['GET', 'OPTIONS']) {
    const answer = await closed.call(method, '/services')
    assert.equal(answer.status, 403)
    assert.match(answer.text, /<title>403 Forbidden<\/title>/)
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
  }
})

test('OPTIONS of anything is answered without a key, empty and as plain text', async () => {
  for (const path of ['/routes', '//anything', '/routes/1']) {
    const { status, headers, text } = await admin.call('OPTIONS', path, undefined, {})
    assert.deepEqual([status, text], [200, ''])
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.equal(headers['access-control-allow-methods'], 'POST, GET, PUT, OPTIONS, DELETE, PATCH')
    assert.equal(headers['access-control-max-age'], '3600')
    assert.equal(headers['access-control-allow-headers'], '*')
    assert.equal(headers['access-control-allow-credentials'], 'true')
    assert.equal(headers['content-length'], '0')
    assert.equal(headers['content-type'], 'text/plain')
  }
})

test('all other replies are open to every origin', async () => {
  for (const headers of [
    (await admin.call('GET', '/services')).headers,
    (await admin.call('GET', '/services', undefined, {})).headers,
  ]) {
    assert.equal(headers['access-control-allow-origin'], '*')
    assert.equal(headers['access-control-allow-credentials'], 'true')
    assert.equal(headers['access-control-expose-headers'], '*')
    assert.equal(headers['access-control-max-age'], '3600')
  }
})

test('without CORS no such header is sent, and OPTIONS is not routed', async (t) => {
  const settings = { keyRequired: false, keys: [], cors: false, allow: undefined, apiVersion: 'v3' }
  const plain = await startAdminFor(t, { admin: settings })
  assert.equal((await plain.call('GET', '/services')).headers['access-control-allow-origin'], undefined)
  assert.equal((await plain.call('OPTIONS', '/services')).status, 404)
})

test('HEAD of the base path is 200, empty and needs no key', async () => {
  const { status, text, headers } = await admin.call('HEAD', '', undefined, {})
  assert.deepEqual([status, text], [200, ''])
  assert.equal(headers['server'], 'APISIX/3.18.0')
})

const routing: [method: string, path: string, status: number, body: string | RegExp][] = [
  ['GET', '/routs', 404, '{"error_msg":"Unsupported resource type: routs"}\n'],
  ['PUT', '/routs/1', 404, '{"error_msg":"Unsupported resource type: routs"}\n'],
  ['GET', '/configs', 404, '{"error_msg":"Unsupported resource type: configs"}\n'],
  ['PUT', '/schema/route', 404, '{"error_msg":"not found"}\n'],
  ['DELETE', '/plugins/limit-conn', 404, '{"error_msg":"not found"}\n'],
  ['PUT', '/plugins/list', 404, '{"error_msg":"not found"}\n'],
  ['HEAD', '/routes', 404, ''],
  ['GET', '//', 404, /<title>404 Not Found<\/title>/],
  ['GET', '//apisix/other', 404, /<title>404 Not Found<\/title>/],
  ['GET', '//ui/', 404, /dashboard is not part of this version/],
  ['GET', '//ui', 404, /dashboard is not part of this version/],
  ['GET', '//apisix/admin/%E0%A4%A', 400, /<title>400 Bad Request<\/title>/],
]
for (const [method, path, status, body] of routing) {
  test(`${method} ${path} is ${status}`, async () => {
    const answer = await admin.call(method, path)
    assert.equal(answer.status, status)
    if (typeof body === 'string') assert.equal(answer.text, body)
    else assert.match(answer.text, body)
  })
}

test('a slash at the end of a path changes nothing', async () => {
  assert.equal((await admin.call('GET', '/services/')).text, '{"list":[],"total":0}\n')
})

test('a body over 1.5 MiB is refused with its size, whether announced or not', async () => {
  const size = 1_678_025
  const body = `{"desc":"${'x'.repeat(size - 11)}"}`
  const refused = `{"error_msg":"invalid request body: request size ${size} is greater than the maximum size 1572864 allowed"}\n`
  const announced = await admin.call('PUT', '/services/big', body)
  assert.deepEqual([announced.status, announced.text], [400, refused])
  const response = await fetch(`http://127.0.0.1:${admin.port}/apisix/admin/services/big`, {
    method: 'PUT',
    headers: { 'x-api-key': adminKey },
    body: new Blob([body]).stream(),
    duplex: 'half',
  } as RequestInit)
  assert.deepEqual([response.status, await response.text()], [400, refused])
})

test('a body without end is refused before it is all there', async () => {
  const piece = Buffer.alloc(1 << 20, 'x')
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(piece) })
  const response = await fetch(`http://127.0.0.1:${admin.port}/apisix/admin/services/endless`, {
    method: 'PUT',
    headers: { 'x-api-key': adminKey },
    body: endless,
    duplex: 'half',
  } as RequestInit)
  assert.equal(response.status, 400)
  assert.match(await response.text(), /request size \d+ is greater than the maximum size 1572864 allowed/)
})

test('a client that goes away in the middle of its body leaves no error behind', async (t) => {
  const lines: string[] = []
  const log = { debug() {}, info() {}, warn() {}, error: (_fields: object, message: string) => lines.push(message) }
  const patient = await startAdminFor(t, { log })
  const socket = connect(patient.port, '127.0.0.1')
  const head = `PUT /apisix/admin/services/1 HTTP/1.1\r\nHost: a\r\nX-API-KEY: ${adminKey}\r\nContent-Length: 10\r\n\r\n`
  await new Promise<void>((resolve) => socket.write(`${head}{`, () => resolve()))
  socket.destroy()
  await until(async () => (await patient.call('GET', '/services')).status === 200)
  assert.equal((await patient.call('GET', '/services/1')).status, 404)
  assert.deepEqual(lines, [])
})

test('bad JSON is refused with the message of the parser and the text', async () => {
  const { status, text } = await admin.call('PUT', '/services/1', '{"name":')
  assert.equal(status, 400)
  const { error_msg, req_body } = JSON.parse(text) as { error_msg: string; req_body: string }
  assert.match(error_msg, /^invalid request body: .+/)
  assert.equal(req_body, '{"name":')
})

test('the content type of a request is not looked at', async () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'nonsense',
    'multipart/form-data; boundary=x',
  ]) {
    const headers = { 'x-api-key': adminKey, 'content-type': type }
    assert.equal((await admin.call('PUT', '/services/typed', service, headers)).status < 300, true, type)
  }
  const headers = { 'x-api-key': adminKey, 'content-type': 'application/json' }
  assert.equal((await admin.call('DELETE', '/services/typed', undefined, headers)).status, 200)
})

test('bytes that are not HTTP get a page and are cut off', async () => {
  const socket = connect(admin.port, '127.0.0.1')
  socket.end('what is this\r\n\r\n')
  assert.match(await readAll(socket), /^HTTP\/1\.1 400 Bad Request\r\n.*<h1>400 Bad Request<\/h1>/s)
})

test('a store that cannot be reached, or not written, is 503 with its reason', async () => {
  admin.source.failure = new WriteError('unreachable', 'connection refused')
  try {
    for (const [method, path, body] of [
      ['GET', '/services', undefined],
      ['GET', '/services/1', undefined],
      ['PUT', '/services/1', service],
      ['POST', '/services', service],
      ['PATCH', '/services/1', service],
      ['DELETE', '/services/1', undefined],
    ] as const) {
      const answer = await admin.call(method, path, body)
      assert.deepEqual([answer.status, answer.text], [503, '{"error_msg":"connection refused"}\n'], method)
    }
  } finally {
    admin.source.failure = undefined
  }
})

test('a fault of the program is 500, and only the log hears what it was', async (t) => {
  const lines: { fields: Record<string, unknown>; message: string }[] = []
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: Readonly<Record<string, unknown>>, message: string) => lines.push({ fields, message }),
  }
  const broken = await startAdminFor(t, { log })
  broken.source.failure = new Error('secret detail') as WriteError
  const answer = await broken.call('GET', `/services?api_key=${adminKey}`)
  assert.deepEqual([answer.status, answer.text], [500, '{"error_msg":"internal error"}\n'])
  assert.equal(lines.length, 1)
  assert.equal(JSON.stringify(lines).includes(adminKey), false)
})

test('each change is told to the log with who made it, and no key is', async (t) => {
  const lines: Readonly<Record<string, unknown>>[] = []
  const info = (fields: Readonly<Record<string, unknown>>) => lines.push(fields)
  const audited = await startAdminFor(t, { log: { debug() {}, info, warn: info, error: info } })
  await audited.call('PUT', `/services/1?api_key=${adminKey}`, service, {})
  await audited.call('GET', '/services/1')
  await audited.call('PUT', '/services/1', { bad: 1 })
  await audited.call('GET', '/services/1', undefined, { 'x-api-key': 'a wrong key' })
  const [change, refused] = lines
  assert.deepEqual(change, { caller: 'admin', method: 'PUT', path: '/apisix/admin/services/1' })
  assert.equal(refused?.['description'], 'wrong apikey')
  assert.equal(lines.length, 2)
  assert.equal(/a wrong key|edd1c9f0/.test(JSON.stringify(lines)), false)
})

test('a source that cannot be written is read from the view, and refuses writes with 503', async (t) => {
  const readOnly = await startAdminFor(t)
  readOnly.source.putNow('services', '1', { id: '1', name: 's' })
  const { source, store } = readOnly
  const fileLike = await startAdminFor(t, {
    store,
    source: {
      name: 'yaml',
      prefix: '',
      writer: undefined,
      follow: async () => {},
      status: () => source.status(),
      close: async () => {},
    },
  })
  const found = await fileLike.call('GET', '/services/1')
  const value = '{"id":"1","name":"s"}'
  assert.equal(found.text, `{"key":"/services/1","value":${value},"createdIndex":1,"modifiedIndex":1}\n`)
  assert.equal((await fileLike.call('GET', '/services')).text.includes('"total":1'), true)
  const refused = await fileLike.call('PUT', '/services/1', service)
  assert.equal(refused.status, 503)
  assert.equal(refused.text, '{"error_msg":"the configuration comes from yaml and can not be written here"}\n')
})

test('an API version other than v3 is refused at start', async (t) => {
  const settings = { keyRequired: false, keys: [], cors: false, allow: undefined, apiVersion: 'v2' }
  await assert.rejects(startAdminFor(t, { admin: settings }), /admin_api_version.*only "v3"/)
})

test('a hundred calls at once are all answered', async () => {
  const calls = Array.from({ length: 100 }, (_, index) =>
    send(admin.port, 'PUT', `/apisix/admin/services/many-${index}`, service, { 'x-api-key': adminKey }),
  )
  const answers = await Promise.all(calls)
  assert.equal(answers.filter(({ status }) => status === 201).length, 100)
})
