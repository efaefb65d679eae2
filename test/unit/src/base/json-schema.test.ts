/** Messages of the schema checker, compared to the letter, and the filling in of defaults. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonSchema } from '../../../../src/base/json.ts'
import { compileGivenSchema, compileSchema } from '../../../../src/base/json-schema.ts'

const object = (properties: JsonSchema, more: JsonSchema = {}): JsonSchema => ({ type: 'object', properties, ...more })

const faults: readonly (readonly [name: string, schema: JsonSchema, value: Json, message: string])[] = [
  ['a missing property', object({ uri: {} }, { required: ['uri'] }), {}, 'property "uri" is required'],
  [
    'a wrong type',
    object({ uri: { type: 'string' } }),
    { uri: 1 },
    'property "uri" validation failed: wrong type: expected string, got number',
  ],
  ['an object for a text', { type: 'string' }, {}, 'wrong type: expected string, got table'],
  ['an array for an object', { type: 'object' }, [1], 'wrong type: expected object, got table'],
  ['null', { type: 'string' }, null, 'wrong type: expected string, got userdata'],
  ['a boolean', { type: 'integer' }, true, 'wrong type: expected integer, got boolean'],
  ['a fraction for an integer', { type: 'integer' }, 1.5, 'wrong type: expected integer, got number'],
  ['one of several types', { type: ['string', 'number'] }, {}, 'wrong type: expected one of string, number, got table'],
  [
    'an enum',
    object({ a: { enum: [1, 0] } }),
    { a: 2 },
    'property "a" validation failed: matches none of the enum values',
  ],
  ['a short text', { type: 'string', minLength: 1 }, '', 'string too short, expected at least 1, got 0'],
  ['a long text', { type: 'string', maxLength: 2 }, 'äöü', 'string too long, expected at most 2, got 3'],
  ['a minimum', { minimum: 0 }, -1, 'expected -1 to be at least 0'],
  ['a maximum', { maximum: 254 }, 255, 'expected 255 to be at most 254'],
  ['an exclusive minimum', { exclusiveMinimum: 0 }, 0, 'expected 0 to be greater than 0'],
  ['an exclusive maximum', { exclusiveMaximum: 1 }, 1.25, 'expected 1.25 to be smaller than 1'],
  ['a great number', { maximum: 10 }, 1e15, 'expected 1e+15 to be at most 10'],
  ['a small number', { minimum: 1 }, 1e-7, 'expected 1e-07 to be at least 1'],
  ['a multiple', { multipleOf: 5 }, 7, 'expected 7 to be a multiple of 5'],
  ['a pattern', { pattern: '^\\S+$' }, 'a "b"', 'failed to match pattern "^\\\\S+$" with "a \\"b\\""'],
  ['an item', { items: { type: 'string' } }, [1], 'failed to validate item 1: wrong type: expected string, got number'],
  [
    'an item of a tuple',
    { items: [{ type: 'string' }, { type: 'number' }], additionalItems: false },
    ['a', 'b'],
    'failed to validate item 2: wrong type: expected number, got string',
  ],
  [
    'too many items of a tuple',
    { items: [{}], additionalItems: false },
    [1, 2],
    'found unexpected extra items in array',
  ],
  ['too few items', { type: 'array', minItems: 1 }, [], 'expect array to have at least 1 items'],
  ['too many items', { type: 'array', maxItems: 1 }, [1, 2], 'expect array to have at most 1 items'],
  ['equal items', { uniqueItems: true }, ['a', 'b', 'a'], 'expected unique items but items 1 and 3 are equal'],
  [
    'equal objects',
    { uniqueItems: true },
    [{ a: 1, b: 2 }, 3, { b: 2, a: 1 }],
    'expected unique items but items 1 and 3 are equal',
  ],
  [
    'an unknown field',
    object({}, { additionalProperties: false }),
    { xxx: 1 },
    'additional properties forbidden, found xxx',
  ],
  [
    'a field that no pattern takes',
    { patternProperties: { '^a': {} }, additionalProperties: false },
    { ab: 1, b: 1 },
    'additional properties forbidden, found b',
  ],
  [
    'a field of a pattern',
    { patternProperties: { '.*': { type: 'string' } } },
    { env: 1 },
    'failed to validate env (matching ".*"): wrong type: expected string, got number',
  ],
  [
    'a further field with a schema',
    { additionalProperties: { type: 'string' } },
    { 'a/b': 1 },
    'failed to validate additional property a/b: wrong type: expected string, got number',
  ],
  ['too many fields', { maxProperties: 1 }, { a: 1, b: 1 }, 'expect object to have at most 1 properties'],
  ['too few fields', { minProperties: 1 }, {}, 'expect object to have at least 1 properties'],
  [
    'anyOf with lists of fields',
    { anyOf: [{ required: ['active'] }, { required: ['active', 'passive'] }] },
    { passive: {} },
    'object matches none of the required: ["active"] or ["active","passive"]',
  ],
  ['anyOf', { anyOf: [{ type: 'string' }, { type: 'number' }] }, {}, 'object matches none of the required'],
  ['oneOf, none', { oneOf: [{ required: ['a'] }] }, {}, 'value should match only one schema, but matches none'],
  [
    'oneOf, two',
    { oneOf: [{ required: ['a'] }, { required: ['c'] }, { required: ['b'] }] },
    { a: 1, b: 1 },
    'value should match only one schema, but matches both schemas 1 and 3',
  ],
  [
    'allOf',
    { allOf: [{}, { oneOf: [{ required: ['a'] }] }] },
    {},
    'allOf 2 failed: value should match only one schema, but matches none',
  ],
  ['not', { not: { required: ['a'] } }, { a: 1 }, "value wasn't supposed to match schema"],
  [
    'then',
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    { if: { properties: { a: { const: 1 } } }, then: { required: ['b'] } },
    { a: 1 },
    'then clause did not match',
  ],
  ['else', { if: { required: ['a'] }, else: { required: ['b'] } }, {}, 'else clause did not match'],
  ['const', { const: { a: 1 } }, { a: 2 }, 'failed to check const value'],
  ['a schema of false', object({ a: false }), { a: 1 }, 'property "a" validation failed: expect false always'],
  ['contains', { contains: { const: 1 } }, [2], 'failed to check contains'],
  ['an address', { format: 'ipv4' }, '1.2.3', 'expect valid ipv4 address but got: 1.2.3'],
  [
    'a dependency on a field',
    object({ a: {} }, { dependencies: { a: ['b'] } }),
    { a: 1 },
    'property "b" is required when "a" is set',
  ],
  [
    'a dependency with a schema',
    object({ cert: {} }, { dependencies: { cert: { required: ['key'] } } }),
    { cert: 1 },
    'failed to validate dependent schema for "cert": property "key" is required',
  ],
  [
    'nesting',
    object({ upstream: object({ nodes: { type: 'array', items: object({ port: { maximum: 65535 } }) } }) }),
    { upstream: { nodes: [{ port: 1 }, { port: 70000 }] } },
    'property "upstream" validation failed: property "nodes" validation failed: failed to validate item 2: ' +
      'property "port" validation failed: expected 70000 to be at most 65535',
  ],
]

for (const [name, schema, value, message] of faults) {
  test(`${name} is told in the words of APISIX's validator`, () => {
    assert.equal(compileSchema(schema).check(value), message)
  })
}

test('properties are looked at in the order of the schema, before unknown fields and alternatives', () => {
  const schema = object(
    { a: { type: 'string' }, b: { type: 'string' } },
    { required: ['b'], additionalProperties: false, oneOf: [{ required: ['c'] }] },
  )
  const { check } = compileSchema(schema)
  assert.equal(check({ x: 1, b: 1, a: 1 }), 'property "a" validation failed: wrong type: expected string, got number')
  assert.equal(check({ x: 1, a: '' }), 'property "b" is required')
  assert.equal(check({ x: 1, b: '' }), 'additional properties forbidden, found x')
  assert.equal(check({ b: '' }), 'value should match only one schema, but matches none')
})

test('a missing property is told where the schema declares it, one that is only required after all others', () => {
  const schema = object({ a: {}, b: { type: 'string' } }, { required: ['z', 'a'] })
  assert.equal(compileSchema(schema).check({ b: 1 }), 'property "a" is required')
  assert.equal(
    compileSchema(schema).check({ a: 1, b: 1 }),
    'property "b" validation failed: wrong type: expected string, got number',
  )
  assert.equal(compileSchema(schema).check({ a: 1 }), 'property "z" is required')
})

test('a fault inside an alternative is never told before the alternative itself', () => {
  const schema = object({
    n: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'integer', minimum: 1 },
      ],
    },
  })
  assert.equal(
    compileSchema(schema).check({ n: 0 }),
    'property "n" validation failed: object matches none of the required',
  )
})

test('a valid value has no message and is not changed', () => {
  const schema = object({ a: { default: 1 }, b: { type: 'string' } })
  const value = { b: 'x' }
  assert.equal(compileSchema(schema).check(value), undefined)
  assert.deepEqual(value, { b: 'x' })
})

test('a default counts as present: a condition on it is not taken for want of the field', () => {
  const schema = object(
    { policy: { enum: ['local', 'redis'], default: 'local' } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    { if: { properties: { policy: { enum: ['redis'] } } }, then: { required: ['redis_host'] } },
  )
  assert.equal(compileSchema(schema).check({}), undefined)
  assert.equal(compileSchema(schema).check({ policy: 'redis' }), 'then clause did not match')
})

test('a field called like a member of every object is neither there nor accepted by chance', () => {
  const schema = object({ a: {} }, { required: ['constructor'], additionalProperties: false })
  assert.equal(compileSchema(schema).check({}), 'property "constructor" is required')
  const parsed = JSON.parse('{"__proto__": 1}') as Json
  assert.equal(
    compileSchema(object({}, { additionalProperties: false })).check(parsed),
    'additional properties forbidden, found __proto__',
  )
})

test('defaults are filled in at every depth, in a copy', () => {
  const schema = object({
    type: { default: 'roundrobin' },
    tls: object({ verify: { default: false } }),
    list: { items: object({ weight: { default: 1 } }) },
    pair: { items: [object({ a: { default: 1 } })] },
    map: {
      patternProperties: { '^x': object({ y: { default: 2 } }) },
      additionalProperties: object({ z: { default: 3 } }),
    },
    statuses: { default: [200, 302] },
  })
  const value = { list: [{}, { weight: 5 }], pair: [{}, {}], map: { xa: {}, other: {} }, tls: {} }
  const filled = compileSchema(schema).withDefaults(value)
  assert.deepEqual(filled, {
    type: 'roundrobin',
    tls: { verify: false },
    list: [{ weight: 1 }, { weight: 5 }],
    pair: [{ a: 1 }, {}],
    map: { xa: { y: 2 }, other: { z: 3 } },
    statuses: [200, 302],
  })
  assert.deepEqual(value, { list: [{}, { weight: 5 }], pair: [{}, {}], map: { xa: {}, other: {} }, tls: {} })
})

test('an absent object stays absent, whatever defaults its members have', () => {
  const schema = object({ checks: object({ active: object({ type: { default: 'http' } }) }) })
  assert.deepEqual(compileSchema(schema).withDefaults({}), {})
})

test('defaults are those of the alternative that the value takes', () => {
  const node = object({ host: { type: 'string' }, priority: { default: 0 } }, { required: ['host'] })
  const nodes = {
    anyOf: [
      { type: 'object', patternProperties: { '.*': { type: 'integer' } } },
      { type: 'array', items: node },
    ],
  }
  const schema = object({ nodes })
  assert.deepEqual(compileSchema(schema).withDefaults({ nodes: [{ host: 'a' }] }), {
    nodes: [{ host: 'a', priority: 0 }],
  })
  assert.deepEqual(compileSchema(schema).withDefaults({ nodes: { a: 1 } }), { nodes: { a: 1 } })

  const policy = object(
    { policy: { default: 'local' } },
    {
      if: { properties: { policy: { const: 'redis' } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { redis_port: { default: 6379 } } },
      else: { properties: { local: { default: true } } },
    },
  )
  assert.deepEqual(compileSchema(policy).withDefaults({ policy: 'redis' }), { policy: 'redis', redis_port: 6379 })
  assert.deepEqual(compileSchema(policy).withDefaults({}), { policy: 'local', local: true })
})

test('two copies do not share a default', () => {
  const { withDefaults } = compileSchema(object({ list: { default: [] } }))
  const [first, second] = [withDefaults({}), withDefaults({})] as { list: Json[] }[]
  first?.list.push(1)
  assert.deepEqual(second, { list: [] })
})

test('a schema is compiled once, however often it is asked for', () => {
  const schema = object({})
  assert.equal(compileSchema(schema), compileSchema(schema))
})

test('a schema that somebody configured is forgotten with its result, may have any id, and is told when it is none', () => {
  for (const text of ['one', 'two']) {
    const { check } = compileGivenSchema({
      $id: 'same',
      $schema: 'http://json-schema.org/draft-04/schema#',
      const: text,
    })
    assert.equal(check(text), undefined)
    assert.notEqual(check('three'), undefined)
  }
  assert.throws(() => compileGivenSchema({ type: 'other' }), /schema is invalid/)
  assert.throws(() => compileGivenSchema({ $ref: 'elsewhere.json' }), /can't resolve reference/)
  assert.deepEqual(compileGivenSchema({ properties: { a: { default: 1 } } }).withDefaults({}), { a: 1 })
})
