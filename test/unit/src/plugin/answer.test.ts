/** What leaves for an answer of a plugin, byte for byte. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeAnswer } from '../../../../src/plugin/answer.ts'
import type { Answer } from '../../../../src/plugin/plugin.ts'
import { linesOf } from '../../../support/http-exchange.ts'

const page = (title: string): string =>
  `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n</body>\r\n</html>\r\n`
const plain = 'Content-Type: text/plain; charset=utf-8'
const html = 'Content-Type: text/html; charset=utf-8'

const cases: readonly (readonly [name: string, answer: Answer, headers: readonly string[], body: string])[] = [
  ['text goes out as it is', { status: 403, body: 'no' }, [plain], 'no'],
  ['bytes go out as they are', { status: 200, body: Uint8Array.of(111, 107) }, [plain], 'ok'],
  ['an object is JSON and a line feed', { status: 401, body: { message: 'no' } }, [plain], '{"message":"no"}\n'],
  ['a list is JSON and a line feed', { status: 200, body: [1, 'a'] }, [plain], '[1,"a"]\n'],
  ['empty text is an empty body', { status: 200, body: '' }, [plain], ''],
  [
    'its own headers stand before all, its content type instead of ours',
    { status: 200, body: {}, headers: { 'content-type': 'application/json', 'Set-Cookie': ['a=1', 'b=2'] } },
    ['content-type: application/json', 'Set-Cookie: a=1', 'Set-Cookie: b=2'],
    '{}\n',
  ],
  ['a status alone is a page', { status: 503 }, [html], page('503 Service Temporarily Unavailable')],
  [
    'a page is HTML whatever is said',
    { status: 401, headers: { 'content-type': 'x' } },
    [html],
    page('401 Authorization Required'),
  ],
  ['a redirect has a page too', { status: 302, headers: { Location: '/' } }, ['Location: /', html], page('302 Found')],
  ['a status without a page has an empty body', { status: 200 }, [plain], ''],
  ['there is no type of nothing', { status: 204 }, [], ''],
]
for (const [name, answer, headers, body] of cases) {
  test(name, () => {
    const composed = composeAnswer(answer)
    assert.deepEqual(linesOf(composed.head.headers), headers)
    assert.equal(Buffer.from(composed.body).toString(), body)
    assert.deepEqual([composed.head.status, composed.head.fromUpstream], [answer.status, false])
  })
}
