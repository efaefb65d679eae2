/** Query strings, forms and cookies: which value a name has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cookieValue } from '../../../../src/exchange/cookies.ts'
import { addField, type FormFields, readFormData } from '../../../../src/exchange/form-data.ts'
import { formPairs, formValue } from '../../../../src/exchange/form-values.ts'

const pairs: readonly (readonly [text: string, name: string, value: string | true | undefined])[] = [
  ['', 'a', undefined],
  ['a=1', 'a', '1'],
  ['a=1&a=2', 'a', '1'],
  ['ab=1&a=2', 'a', '2'],
  ['b=a&a=2', 'a', '2'],
  ['b=a=3&a=2', 'a', '2'],
  ['a=', 'a', ''],
  ['a', 'a', true],
  ['x&a&y=1', 'a', true],
  ['a==b', 'a', '=b'],
  ['A=1', 'a', undefined],
  ['a=x+y%20z', 'a', 'x y z'],
  ['a=gr%C3%B6%C3%9Fe', 'a', 'größe'],
  ['a%2Db=1', 'a-b', '1'],
  ['a+b=1', 'a b', '1'],
  ['a%3Db=1', 'a=b', '1'],
  ['a=100%', 'a', '100%'],
  ['a=%zz%41', 'a', '%zzA'],
  ['a=%ff', 'a', '\ufffd'],
  ['&&&', '', undefined],
  ['=1', '', '1'],
]
for (const [text, name, value] of pairs) {
  test(`${JSON.stringify(name)} in ${JSON.stringify(text)} is ${JSON.stringify(value)}`, () => {
    assert.equal(formValue(text, name), value)
  })
}

test('looking for a name takes time in proportion to the text', () => {
  const before = process.cpuUsage()
  for (const text of ['&'.repeat(1e6), 'a'.repeat(1e6), 'ab=&'.repeat(2e5), `${'%61'.repeat(1000)}&`.repeat(300)]) {
    assert.equal(formValue(text, 'x'), undefined)
  }
  // A pass over the rest of the text for each name would take a minute.
  assert.ok(process.cpuUsage(before).user < 10e6)
})

test('pairs come in order, empty ones left out, and no more than asked for', () => {
  assert.deepEqual(formPairs('a=1&&b&c==', 10), [
    ['a', '1'],
    ['b', ''],
    ['c', '='],
  ])
  assert.equal(formPairs('a=1&'.repeat(50), 7).length, 7)
})

const cookies: readonly (readonly [field: string, name: string, value: string | undefined])[] = [
  ['a=1; b=2', 'b', '2'],
  ['a=1;b=2', 'b', '2'],
  ['ab=1; b=2', 'a', undefined],
  ['xa=1; a=2', 'a', '2'],
  ['a=1; a=2', 'a', '2'],
  ['A=1', 'a', undefined],
  ['a=', 'a', ''],
  ['a', 'a', undefined],
  ['a=x=y', 'a', 'x=y'],
  ['a="q"', 'a', '"q"'],
  ['a=%41', 'a', '%41'],
  [' a=1 ; b=2', 'a', '1'],
]
for (const [field, name, value] of cookies) {
  test(`the cookie ${name} in ${JSON.stringify(field)} is ${JSON.stringify(value)}`, () => {
    assert.equal(cookieValue(field, name), value)
  })
}

const lines = (...parts: readonly string[]): Buffer => Buffer.from(parts.join('\r\n'))
const type = 'multipart/form-data; boundary=b'

test('the parts of a form by name; one that comes again makes a list', () => {
  const body = lines(
    ...['preamble', '--b', 'Content-Disposition: form-data; name="model"', '', 'gpt-4'],
    ...['--b', 'content-type: text/plain', 'content-disposition: form-data; filename="x"; name=file', '', 'a', '', 'b'],
    ...['--b', 'Content-Disposition: form-data; name="model"', '', ''],
    ...['--b', 'Content-Disposition: form-data', '', 'nameless', '--b--', 'rest'],
  )
  assert.deepEqual({ ...readFormData(body, type) }, { model: ['gpt-4', ''], file: 'a\r\n\r\nb' })
  assert.deepEqual(
    { ...readFormData(body, 'multipart/form-data; charset=x; Boundary="b"') },
    { ...readFormData(body, type) },
  )
})

test('a form that breaks off has the parts that came whole', () => {
  const body = lines('--b', 'Content-Disposition: form-data; name="a"', '', '1', '--b', 'Content-Dis')
  assert.deepEqual({ ...readFormData(body, type) }, { a: '1' })
  assert.deepEqual({ ...readFormData(lines('none'), type) }, {})
})

test('without a boundary there is no form', () => {
  assert.equal(readFormData(lines('--b'), 'multipart/form-data'), undefined)
})

test('names that objects have are names like others', () => {
  const fields = Object.create(null) as FormFields
  addField(fields, '__proto__', '1')
  addField(fields, 'constructor', '2')
  assert.deepEqual(Object.entries(fields), [
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
})
