/** Patterns: those that are plain texts are found as the engine would find them, and the others by the engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RE2JS } from 're2js'
import { compilePattern } from '../../../../src/base/pattern.ts'

const patterns = [
  ...['', '^', '$', '^$', 'a', '^a', 'a$', '^a$', 'ab', '^/api/', '/v1$', '^/a\\.b$', 'a\\\\b', '\\^a', 'a\\$', '\\$'],
  ...[
    '^^a',
    'a$$',
    'a^',
    '$a',
    'a.b',
    '^a|b$',
    'a+',
    '[ab]',
    '(a)',
    'a{2}',
    '\\d',
    '\\Aa',
    'a\\z',
    '\\Qa.b\\E',
    'ö',
    '^中$',
  ],
  ...[
    'a\\ b',
    'a-b',
    'a\\-b',
    'a\\/b',
    'a/b',
    'a,b',
    'a\nb',
    '^a\n',
    'a\\\n',
    '(?i)a',
    '\\bab\\b',
    '#a',
    'a\\#',
    '\\_',
    '}',
  ],
]
const texts = [
  ...[
    '',
    'a',
    'A',
    'b',
    'ab',
    'ba',
    'aab',
    'abb',
    '/api/',
    '/api',
    'x/api/',
    '/v1',
    '/v1/',
    '/a.b',
    '/axb',
    'a\\b',
    '^a',
  ],
  ...[
    'a$',
    '$',
    'aa',
    'a1',
    'ö',
    'xö',
    '中',
    '中文',
    'a b',
    'a-b',
    'a/b',
    'a,b',
    'a\nb',
    'a\n',
    'ab ab',
    '#a',
    'a#',
    '_',
    '}',
  ],
]

test('every pattern finds what the engine finds', () => {
  for (const pattern of patterns) {
    for (const ignoreCase of [false, true]) {
      let engine: RE2JS
      try {
        engine = RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0)
      } catch {
        assert.throws(() => compilePattern(pattern, ignoreCase), JSON.stringify(pattern))
        continue
      }
      const search = compilePattern(pattern, ignoreCase)
      for (const text of texts)
        assert.equal(search(text), engine.test(text), `${JSON.stringify([pattern, text])} ${ignoreCase}`)
    }
  }
})
