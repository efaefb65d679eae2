/** Answers on their way out: filters in a row, and what becomes of the answer when one of them throws. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyPipe, startFilters } from '../../../../src/plugin/body-pipe.ts'
import type { HeaderFilter } from '../../../../src/plugin/chain.ts'
import type { BodyFilter } from '../../../../src/plugin/plugin.ts'
import { httpExchange, linesOf, responseHead } from '../../../support/http-exchange.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (part: Uint8Array | undefined): string | undefined =>
  part === undefined ? undefined : Buffer.from(part).toString()
const upper: BodyFilter = { part: (part) => Buffer.from(Buffer.from(part).toString().toUpperCase()), keepsLength: true }
const broken = (): never => assert.fail('no filter throws here')

/** Holds everything back until the end, then gives it in brackets. */
function bracketing(): BodyFilter {
  let held = ''
  return {
    part(part, last) {
      held += Buffer.from(part).toString()
      return last ? bytes(`[${held}]`) : undefined
    },
  }
}

/** Throws at the part numbered `at`. */
function failing(at: number, change: (part: Uint8Array) => Uint8Array | undefined): BodyFilter {
  let count = 0
  return {
    part(part) {
      if (count++ === at) throw new Error('broken')
      return change(part)
    },
  }
}

test('what one filter lets out the next one gets, and the last call comes to each exactly once', () => {
  const lasts: boolean[] = []
  const watching: BodyFilter = {
    part(part, last) {
      lasts.push(last)
      return part
    },
  }
  const pipe = new BodyPipe([bracketing(), upper, watching], broken)
  assert.deepEqual(
    [pipe.part(bytes('a'), false), pipe.part(bytes('b'), false), text(pipe.part(bytes(''), true))],
    [undefined, undefined, '[AB]'],
  )
  assert.deepEqual(lasts, [true])
})

test('the length is kept only if every filter keeps it', () => {
  assert.equal(new BodyPipe([upper, upper], broken).keepsLength, true)
  assert.equal(new BodyPipe([upper, bracketing()], broken).keepsLength, false)
})

test('a filter that throws before it has touched anything is left out, and nothing is lost', () => {
  const faults: unknown[] = []
  const pipe = new BodyPipe([failing(1, (part) => part), upper], (error) => faults.push(error))
  assert.equal(text(pipe.part(bytes('a'), false)), 'A')
  assert.equal(text(pipe.part(bytes('b'), false)), 'B')
  assert.equal(text(pipe.part(bytes('c'), true)), 'C')
  assert.equal(pipe.broken, false)
  assert.deepEqual(
    faults.map((fault) => (fault as Error).message),
    ['broken'],
  )
})

for (const [how, change] of [
  ['changed', (part: Uint8Array) => Buffer.concat([part, part])],
  ['held back', () => undefined],
] as const) {
  test(`a filter that throws after it has ${how} a part breaks the answer off`, () => {
    const faults: unknown[] = []
    const pipe = new BodyPipe([failing(1, change), upper], (error) => faults.push(error))
    pipe.part(bytes('a'), false)
    assert.equal(pipe.part(bytes('b'), false), undefined)
    assert.equal(pipe.broken, true)
    assert.equal(pipe.part(bytes('c'), true), undefined)
    assert.equal(faults.length, 1)
  })
}

test('header filters of global rules go first; nobody who wants the body means no pipe', () => {
  const order: string[] = []
  const noting =
    (name: string): HeaderFilter =>
    (_exchange, head) => {
      order.push(name)
      head.headers.append('X-By', name)
      return undefined
    }
  const head = responseHead(200, { A: '1' })
  const pipe = startFilters([noting('global')], [noting('route')], httpExchange(), head, broken)
  assert.equal(pipe, undefined)
  assert.deepEqual(order, ['global', 'route'])
  assert.deepEqual(linesOf(head.headers), ['A: 1', 'X-By: global', 'X-By: route'])
})

test('a header filter that throws leaves the head as it found it, and the others run', () => {
  const faults: unknown[] = []
  const throwing: HeaderFilter = (_exchange, head) => {
    head.status = 500
    head.headers.delete('a')
    throw new Error('broken')
  }
  const head = responseHead(200, { A: '1' })
  const wanting: HeaderFilter = () => upper
  const pipe = startFilters([throwing], [wanting], httpExchange(), head, (error) => faults.push(error))
  assert.deepEqual([head.status, linesOf(head.headers)], [200, ['A: 1']])
  assert.equal(text(pipe?.part(bytes('a'), true)), 'A')
  assert.equal(faults.length, 1)
})

test('a coding comes after all header filters and gets what every other filter lets out', () => {
  const seen: string[] = []
  const coding: HeaderFilter = () => ({
    code(head) {
      seen.push(...linesOf(head.headers))
      head.headers.set('Coded', 'yes')
      return bracketing()
    },
  })
  const adding: HeaderFilter = (_exchange, head) => {
    head.headers.set('Added', '1')
    return { part: (part, last) => (last ? Buffer.concat([part, bytes('!')]) : part) }
  }
  const head = responseHead(200, { 'Content-Length': '1' })
  const pipe = startFilters([coding], [adding], httpExchange(), head, broken)
  assert.equal(text(pipe?.part(bytes('a'), true)), '[a!]')
  // The length was that of a body without what was added.
  assert.deepEqual([seen, linesOf(head.headers)], [['Added: 1'], ['Added: 1', 'Coded: yes']])
})

test('a coding that throws or wants nothing leaves the answer to the others, a known length included', () => {
  const faults: unknown[] = []
  const throwing: HeaderFilter = () => ({
    code(head) {
      head.headers.set('Content-Encoding', 'none')
      throw new Error('broken')
    },
  })
  const head = responseHead(200, { 'Content-Length': '1' })
  const filters: readonly HeaderFilter[] = [throwing, () => ({ code: () => undefined }), () => upper]
  const pipe = startFilters(undefined, filters, httpExchange(), head, (error) => faults.push(error))
  assert.equal(text(pipe?.part(bytes('a'), true)), 'A')
  assert.deepEqual([linesOf(head.headers), faults.length], [['Content-Length: 1'], 1])
})
