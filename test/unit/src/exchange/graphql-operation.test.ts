/** GraphQL documents: kind, name and root fields of the first operation, and what is no document. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readGraphql } from '../../../../src/exchange/graphql-operation.ts'

const documents: readonly (readonly [text: string, operation: string, name: string, fields: readonly string[]])[] = [
  ['query repo {\n owner {\n name\n }\n}', 'query', 'repo', ['owner']],
  ['query getRepo { owner {name } repo {created}}', 'query', 'getRepo', ['owner', 'repo']],
  ['{ a, b }', 'query', '', ['a', 'b']],
  ['query { owner { name } }', 'query', '', ['owner']],
  [
    'mutation repo($ep: Episode!, $review: ReviewInput!) { createReview(episode: $ep, review: $review) { stars } }',
    'mutation',
    'repo',
    ['createReview'],
  ],
  ['subscription S { changes }', 'subscription', 'S', ['changes']],
  ['mutation A { x } query B { y }', 'mutation', 'A', ['x']],
  ['fragment F on T { z } query B { y ...F }', 'query', 'B', ['y', 'F']],
  ['query { alias: field(arg: {deep: [1, "}"]}) @include(if: true) { x } other }', 'query', '', ['field', 'other']],
  ['query { ... on User { id } ... @skip(if: false) { age } last }', 'query', '', ['id', 'age', 'last']],
  ['# { no }\nquery Q # more\n{ a }', 'query', 'Q', ['a']],
  ['\ufeffquery Q @live { a }', 'query', 'Q', ['a']],
  ['{ a(text: """ a "quoted" } \\""" word """) b }', 'query', '', ['a', 'b']],
  ['{ a(text: "\\"}\\\\") b(n: -1.5e3) }', 'query', '', ['a', 'b']],
  ['query on { on }', 'query', 'on', ['on']],
]
for (const [text, operation, name, rootFields] of documents) {
  test(JSON.stringify(text.slice(0, 60)), () => {
    assert.deepEqual(readGraphql(text), { operation, name, rootFields })
  })
}

for (const text of [
  '',
  'AA',
  'query',
  'query {',
  'query { }',
  '{ a } }',
  '{ a(x: " }',
  '{ a { }',
  'type A { b: C }',
  '{ % }',
]) {
  test(`${JSON.stringify(text)} is no document`, () => assert.equal(readGraphql(text), undefined))
}

test('a document with fragments only has no operation', () => {
  assert.equal(readGraphql('fragment F on T { z }'), undefined)
})

test('a document that nests without end is gone through', () => {
  const depth = 200_000
  assert.deepEqual(readGraphql(`{a${'{a'.repeat(depth)}${'}'.repeat(depth)}}`)?.rootFields, ['a'])
  assert.equal(readGraphql('{a'.repeat(depth)), undefined)
})
