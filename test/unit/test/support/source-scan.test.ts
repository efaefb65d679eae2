import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scan } from '../../../support/source-scan.ts'

const found = (text: string): string[] =>
  scan(text).imports.map(
    ({ specifier, typeOnly, dynamic }) => `${typeOnly ? 'type ' : ''}${dynamic ? 'dynamic ' : ''}${specifier}`,
  )

test('every form of import is seen with what it imports', () => {
  assert.deepEqual(found("import { a } from './a.ts'"), ['./a.ts'])
  assert.deepEqual(found("import b, { type C } from './b.ts'"), ['./b.ts'])
  assert.deepEqual(found("import {\n  a,\n  b,\n} from './a.ts'"), ['./a.ts'])
  assert.deepEqual(found("import * as all from './a.ts'"), ['./a.ts'])
  assert.deepEqual(found("import type { A } from './a.ts'"), ['type ./a.ts'])
  assert.deepEqual(found("import './effect.ts'"), ['./effect.ts'])
  assert.deepEqual(found("export { a } from './a.ts'"), ['./a.ts'])
  assert.deepEqual(found("export type { A } from './a.ts'"), ['type ./a.ts'])
  assert.deepEqual(found('export * from "./a.ts"'), ['./a.ts'])
  assert.deepEqual(found("const a = await import('./a.ts')"), ['dynamic ./a.ts'])
})

test('what only looks like an import is none', () => {
  assert.deepEqual(found("// import { a } from './a.ts'"), [])
  assert.deepEqual(found("/* import './a.ts' */"), [])
  assert.deepEqual(found('const text = "import \'./a.ts\'"'), [])
  assert.deepEqual(found("const text = `import './a.ts'`"), [])
  assert.deepEqual(found("export const from = './a.ts'"), [])
})

test('comments, strings, templates and regular expressions are blanked at their length, code in templates stays', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
  const text = "call(/['\"`]/, 'a', `b${inner('x', `${deep}`)}c`) // end\nnext / 2 / more"
  const { code } = scan(text)
  assert.equal(code.length, text.length)
  assert.equal(code.replace(/ +/g, ' ').trim(), "call( , ' ', inner(' ', deep ) ) \nnext / 2 / more")
})
