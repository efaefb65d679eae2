import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal, type Reply } from '../../../../src/admin/reply.ts'
import { maxDepth, parseDocument, parseJsonBody } from '../../../../src/admin/request-body.ts'

function refused(run: () => unknown): { status: number; body: unknown } {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof Refusal)
    const { status, body } = error.reply as Reply & { body: { json: unknown } }
    return { status, body: body.json }
  }
  throw new Error('nothing was refused')
}

test('an empty text and null are no body', () => {
  assert.equal(parseJsonBody(''), undefined)
  assert.equal(parseJsonBody('null'), undefined)
  assert.deepEqual(parseJsonBody('{"a":[1]}'), { a: [1] })
})

test('bad JSON is refused with the parser message and the text', () => {
  const { status, body } = refused(() => parseJsonBody('{"a":'))
  assert.equal(status, 400)
  assert.deepEqual(Object.keys(body as object), ['error_msg', 'req_body'])
  assert.match((body as { error_msg: string }).error_msg, /^invalid request body: ./)
  assert.equal((body as { req_body: string }).req_body, '{"a":')
})

test('a key that would change a prototype is refused however it is spelled', () => {
  for (const text of ['{"__proto__":{}}', '{"a":[{"\\u005f_proto__":1}]}', '{"\\u005F\\u005fproto__":1}']) {
    assert.match((refused(() => parseJsonBody(text)).body as { error_msg: string }).error_msg, /__proto__/)
  }
  assert.deepEqual(parseJsonBody('{"a":"__proto__"}'), { a: '__proto__' })
})

test('nesting is limited, and brackets in strings do not count', () => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  assert.ok(parseJsonBody(deep(maxDepth)))
  const { body } = refused(() => parseJsonBody(deep(maxDepth + 1)))
  assert.match((body as { error_msg: string }).error_msg, /nested deeper than 1000 levels/)
  assert.ok(parseJsonBody(JSON.stringify({ a: '[\\"['.repeat(5000) })))
})

test('a document is JSON or YAML by its content type, and must be an object', () => {
  assert.deepEqual(parseDocument('{"routes":[]}', undefined), { routes: [] })
  assert.deepEqual(parseDocument('routes:\n  - id: 1\n', 'application/yaml; charset=utf-8'), { routes: [{ id: 1 }] })
  const message = (text: string, type?: string) =>
    (refused(() => parseDocument(text, type)).body as { error_msg: string }).error_msg
  assert.equal(message(''), 'invalid request body: empty request body')
  assert.equal(message('text', 'application/yaml'), 'invalid request body: invalid yaml request body')
  assert.equal(message('a: [', 'application/yaml'), 'invalid request body: invalid yaml request body')
  assert.match(message('{'), /^invalid request body: /)
})
