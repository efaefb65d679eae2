/** Paths as nginx makes them of targets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodePath,
  normalisePath,
  withEncodedSlashes,
  withoutParameters,
  withoutTailSlash,
} from '../../../../src/exchange/request-path.ts'

const pathOf = (target: string): string | undefined => normalisePath(target)?.path

test('the query is what follows the first question mark, undecoded', () => {
  assert.deepEqual(normalisePath('/a/b?c=%20d?e'), { path: '/a/b', query: 'c=%20d?e' })
  assert.deepEqual(normalisePath('/a?'), { path: '/a', query: '' })
  assert.deepEqual(normalisePath('*'), { path: '*', query: '' })
  assert.deepEqual(normalisePath('/%3F?x'), { path: '/?', query: 'x' })
})

/** What nginx 1.22 shows as $uri. */
const table: Readonly<Record<string, string>> = {
  '/': '/',
  '/a/b': '/a/b',
  '/a//b///c': '/a/b/c',
  '//': '/',
  '//a': '/a',
  '/a/./b': '/a/b',
  '/a/.': '/a/',
  '/.': '/',
  '/./': '/',
  '/a/..': '/',
  '/a/../': '/',
  '/a/b/..': '/a/',
  '/a/b/../c': '/a/c',
  '/a/b/../../c/': '/c/',
  '/a//../b': '/b',
  '/a/.b': '/a/.b',
  '/a/..b': '/a/..b',
  '/a/...': '/a/...',
  '/a/b.': '/a/b.',
  '/%61': '/a',
  '/%2e/a': '/a',
  '/a/%2E%2e/b': '/b',
  '/a%2fb': '/a/b',
  '/a%2F%2fb': '/a/b',
  '/a%2F..%2Fb': '/b',
  '/a/b%2f': '/a/b/',
  '/%25%32%35': '/%25',
  '/%2525': '/%25',
  '/a%23b': '/a#b',
  '/a+b%20c': '/a+b c',
  '/a;p=1/b': '/a;p=1/b',
  '/%0d%0a': '/\r\n',
  '/%E4%BD%A0': '/你',
  '/%c3%a9': '/é',
  '/%F0%9F%98%80': '/😀',
}
test('paths are decoded, dot segments resolved and slashes merged, as nginx does', () => {
  for (const [target, path] of Object.entries(table)) assert.equal(pathOf(target), path, target)
})

test('escapes that are none, a NUL, and dot segments above the root are refused', () => {
  for (const target of [
    '/%',
    '/%2',
    '/%zz',
    '/%2g',
    '/%g2',
    '/a%',
    '/%00',
    '/a%00b',
    '/..',
    '/../a',
    '/a/../../b',
    '/%2e%2e',
  ]) {
    assert.equal(normalisePath(target), undefined, target)
  }
})

test('bytes that are no UTF-8 are told apart from characters, and come back as they were', () => {
  assert.equal(pathOf('/%e9'), '/\udce9')
  for (const target of [
    '/%E9',
    '/%C3%28',
    '/%F0%9F%98A',
    '/%80%C3%A9',
    '/%ED%A0%80',
    '/%EF%BF%BD%FF',
    '/%E4%BD',
    '/a/%F5%20%25',
  ]) {
    const path = pathOf(target)
    assert.ok(path !== undefined)
    const bytes = Buffer.from(decodeURIComponentBytes(target), 'latin1')
    assert.deepEqual(Buffer.from(decodeURIComponentBytes(encodePath(path)), 'latin1'), bytes, target)
  }
})

/** Percent-decoding alone. */
function decodeURIComponentBytes(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

test('a path is encoded so that it reads as the same path', () => {
  assert.equal(encodePath("/a-._~!$&'()*+,;=:@[]/b"), "/a-._~!$&'()*+,;=:@[]/b")
  assert.equal(encodePath('/a b%c?d#e"<>\\^`{|}'), '/a%20b%25c%3Fd%23e%22%3C%3E%5C%5E%60%7B%7C%7D')
  assert.equal(encodePath('/é你😀\r\n\x7f'), '/%C3%A9%E4%BD%A0%F0%9F%98%80%0D%0A%7F')
  for (const path of ['/a b/%2F/?#', '/é/\udcff', '/😀;x']) assert.equal(pathOf(encodePath(path)), path)
})

test('one slash at the end goes on request, but not the root', () => {
  assert.deepEqual(['/a/', '/a', '/', '/a//'].map(withoutTailSlash), ['/a', '/a', '/', '/a/'])
})

test('parameters of segments go on request, and where they hide dot segments the path is refused', () => {
  assert.deepEqual(['/a', '/a;b', '/a;b=c;d/e;f', '/a/b;', '/a/;b'].map(withoutParameters), [
    '/a',
    '/a',
    '/a/e',
    '/a/b',
    '/a/',
  ])
  for (const path of ['/a/..;/b', '/.;x/b', '/a/..;', '/;x/b', '/%2e;/b', '/%2E%2e;x/b']) {
    assert.equal(withoutParameters(path), undefined, path)
  }
})

test('encoded slashes are kept on request, in capitals, where nothing else was changed in the path', () => {
  const kept = (target: string): string => withEncodedSlashes(target, pathOf(target) ?? '')
  assert.equal(kept('/a%2fb%2F%20c?x%2f'), '/a%2Fb%2F c')
  assert.equal(kept('/a%2Fb'), '/a%2Fb')
  assert.equal(kept('/a/b'), '/a/b')
  assert.equal(kept('/a%2F/b'), '/a/b')
  assert.equal(kept('/a/../b%2Fc'), '/b/c')
  assert.equal(kept('/%E4%BD%A0%2F'), '/你%2F')
  assert.equal(kept('/a%252Fb%2Fc'), '/a%2Fb%2Fc')
})
