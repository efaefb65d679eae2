/** What is written: one head, whatever plugins put into it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunkEnd, chunkStart, lastChunk, writeLastChunk } from '../../../../../protocols/http1/codec/chunked-writer.ts'
import {
  asListed,
  chunked,
  unframed,
  writeAnswerHead,
  writeRequestHead,
} from '../../../../../protocols/http1/codec/head-writer.ts'
import { phraseOf } from '../../../../../protocols/http1/codec/status-phrases.ts'
import { HeaderList } from '../../../../../src/exchange/header-list.ts'

function request(fields: Readonly<Record<string, string>>, framing = unframed, upgrade?: string): string {
  return writeRequestHead('GET', '/x?y', HeaderList.of(fields), framing, upgrade, [])
}

test('the head of a request has Host first, then the fields in their order, then the framing', () => {
  assert.equal(
    request({ 'X-A': '1', host: 'b:81', 'x-b': '' }, 5),
    'GET /x?y HTTP/1.1\r\nHost: b:81\r\nX-A: 1\r\nx-b: \r\nContent-Length: 5\r\n\r\n',
  )
  assert.equal(request({}, chunked), 'GET /x?y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n')
  assert.equal(request({}, 0), 'GET /x?y HTTP/1.1\r\nContent-Length: 0\r\n\r\n')
})

test('fields of framing and of the connection are the writer’s own', () => {
  const fields = {
    'Content-Length': '7',
    'transfer-encoding': 'gzip',
    Connection: 'close',
    'Keep-Alive': 'x',
    'Proxy-Connection': 'x',
    TE: 'trailers',
    Upgrade: 'x',
    Via: 'y',
  }
  assert.equal(request(fields), 'GET /x?y HTTP/1.1\r\nVia: y\r\n\r\n')
  assert.equal(
    request(fields, unframed, 'websocket'),
    'GET /x?y HTTP/1.1\r\nVia: y\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
})

test('the head of an answer has its phrase, or the usual one', () => {
  const none = new HeaderList()
  assert.equal(
    writeAnswerHead(404, '', none, 0, 'close', undefined, []),
    'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  )
  assert.equal(writeAnswerHead(299, '', none, unframed, '', undefined, []), 'HTTP/1.1 299 \r\n\r\n')
  assert.equal(
    writeAnswerHead(200, 'Fine', none, chunked, 'keep-alive', undefined, []),
    'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n',
  )
  assert.equal(
    writeAnswerHead(101, '', none, unframed, 'close', 'websocket', []),
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  assert.deepEqual([302, 405, 503, 504].map(phraseOf), [
    'Moved Temporarily',
    'Not Allowed',
    'Service Temporarily Unavailable',
    'Gateway Time-out',
  ])
})

test('an answer without its body may keep the length that its fields announce', () => {
  const headers = HeaderList.of({ 'Content-Length': '50', ETag: '"x"' })
  assert.match(writeAnswerHead(304, '', headers, asListed, '', undefined, []), /^Content-Length: 50\r$/m)
  assert.doesNotMatch(writeAnswerHead(204, '', headers, unframed, '', undefined, []), /Content-Length/)
})

test('a field that would break the head is left out and named', () => {
  for (const bad of ['a\r\nX-Evil: 1', 'a\nb', 'a\rb', 'a\0b', 'a\n\r', '\u010a', '\u010d\u010a']) {
    const dropped: string[] = []
    const headers = HeaderList.of({ Host: 'a', 'X-Good': '1', 'X-Bad': bad, 'X-Also': '2' })
    const head = writeRequestHead('GET', '/', headers, unframed, undefined, dropped)
    const isText = /^[^\r\n\0]+$/.test(bad)
    const kept = isText ? `X-Bad: ${Buffer.from(bad).toString('latin1')}\r\n` : ''
    assert.equal(head, `GET / HTTP/1.1\r\nHost: a\r\nX-Good: 1\r\n${kept}X-Also: 2\r\n\r\n`, JSON.stringify(bad))
    assert.deepEqual(dropped, isText ? [] : ['X-Bad'])
  }
})

test('a name that is no token is left out with its field, as far as it would break the head', () => {
  const dropped: string[] = []
  const headers = HeaderList.of({ 'X\r\nY': '1', Z: '2' })
  assert.equal(writeAnswerHead(200, '', headers, unframed, '', undefined, dropped), 'HTTP/1.1 200 OK\r\nZ: 2\r\n\r\n')
  assert.deepEqual(dropped, ['X\r\nY'])
})

test('a Host that would break the head is left out', () => {
  const dropped: string[] = []
  const head = writeRequestHead('GET', '/', HeaderList.of({ Host: 'a\r\nX: y' }), unframed, undefined, dropped)
  assert.equal(head, 'GET / HTTP/1.1\r\n\r\n')
  assert.deepEqual(dropped, ['Host'])
})

test('a phrase and an upgrade that would break the head do not', () => {
  const none = new HeaderList()
  assert.equal(writeAnswerHead(200, 'a\r\nX: y', none, unframed, '', undefined, []), 'HTTP/1.1 200 a  X: y\r\n\r\n')
  assert.equal(
    writeAnswerHead(101, '', none, unframed, '', 'a\r\nX: y', []),
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  )
})

test('text beyond latin1 leaves as UTF-8, and latin1 as it is', () => {
  assert.equal(request({ A: '你', B: 'caf\xe9' }), 'GET /x?y HTTP/1.1\r\nA: \xe4\xbd\xa0\r\nB: caf\xe9\r\n\r\n')
})

test('no request line is made of what is none', () => {
  for (const uri of ['', '/a b', '/a\r\nX: y', '/\xe9', '/\0']) {
    assert.throws(() => writeRequestHead('GET', uri, new HeaderList(), 0, undefined, []), { code: 'internal' }, uri)
  }
  assert.throws(() => writeRequestHead('G T', '/', new HeaderList(), 0, undefined, []), { code: 'internal' })
})

test('a chunk begins with its size in hex, and the last one may carry trailers', () => {
  assert.equal(`${chunkStart(26)}${chunkEnd}`, '1a\r\n\r\n')
  assert.equal(writeLastChunk(undefined, []), lastChunk)
  assert.equal(writeLastChunk(new HeaderList(), []), lastChunk)
  const dropped: string[] = []
  const trailers = HeaderList.of({ 'X-Sum': '1', 'X-Bad': 'a\r\n\r\nGET /smuggled' })
  assert.equal(writeLastChunk(trailers, dropped), '0\r\nX-Sum: 1\r\n\r\n')
  assert.deepEqual(dropped, ['X-Bad'])
})

test('a value that would break the head is left out of a list that a parser had filled', () => {
  const headers = new HeaderList()
  headers.push('a', 'A', '1', 'A: 1\r\n')
  headers.set('B', 'x\r\nC: y')
  headers.set('A', '2')
  const dropped: string[] = []
  const text = writeAnswerHead(200, '', headers, 0, '', undefined, dropped)
  assert.equal(text, 'HTTP/1.1 200 OK\r\nA: 2\r\nContent-Length: 0\r\n\r\n')
  assert.deepEqual(dropped, ['B'])
})

test('a reason that would break the head does not, though all fields are sound', () => {
  const text = writeAnswerHead(200, 'a\r\nB: c', new HeaderList(), 0, '', undefined, [])
  assert.equal(text, 'HTTP/1.1 200 a  B: c\r\nContent-Length: 0\r\n\r\n')
})
