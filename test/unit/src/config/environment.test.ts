// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text in question looks like one
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expandScalar, expandText, MissingVariable } from '../../../../src/config/environment.ts'

const env = { HOST: 'db', PORT: '5432', ON: 'true', EMPTY: '', NESTED: '${{HOST}}' }

test('a variable is put where it is named, with blanks and defaults', () => {
  const cases: [string, string][] = [
    ['${{HOST}}', 'db'],
    ['${{ HOST }}', 'db'],
    ['a-${{HOST}}:${{PORT}}-b', 'a-db:5432-b'],
    ['${{NONE:=here}}', 'here'],
    ['${{ NONE := here and there }}', 'here and there'],
    ['${{NONE:=}}', ''],
    ['${{EMPTY:=default}}', ''],
    ['${{HOST:=other}}', 'db'],
    ['${{NESTED}}', '${{HOST}}'],
    ['${HOST} $HOST {{HOST}}', '${HOST} $HOST {{HOST}}'],
  ]
  for (const [written, expected] of cases) assert.equal(expandText(written, env), expected, written)
})

test('a variable that is not set and has no default is named', () => {
  assert.throws(
    () => expandText('${{NONE}}', env),
    (error) => {
      assert.ok(error instanceof MissingVariable)
      assert.equal(error.message, "failed to handle configuration: can't find environment variable NONE")
      return true
    },
  )
})

test('only a value that contained a variable gets the type that it reads as', () => {
  const cases: [string, string | number | boolean][] = [
    ['${{PORT}}', 5432],
    ['${{ON}}', true],
    ['${{NONE:=false}}', false],
    ['${{NONE:=1.5e3}}', 1500],
    ['1${{PORT}}', 15_432],
    ['${{HOST}}', 'db'],
    ['${{EMPTY}}', ''],
    ['5432', '5432'],
    ['true', 'true'],
  ]
  for (const [written, expected] of cases) assert.equal(expandScalar(written, env), expected, written)
})
