import assert from 'node:assert/strict'
import test from 'node:test'
import { failures } from '../../../../protocols/http1/failures.ts'
import { type Code, codes } from '../../../../src/errors.ts'

const statusOf = (code: Code): number => (failures[code] ?? failures[codes[code].kind]).status

test('every failure has a status of its side', () => {
  for (const code of Object.keys(codes) as Code[]) {
    const status = statusOf(code)
    const [from, to] = codes[code].origin === 'client' ? [400, 499] : [500, 504]
    assert.ok(status >= from && status <= to, `${code}: ${status}`)
  }
})

test('failures that users know by their status have it', () => {
  const expected: Partial<Record<Code, number>> = {
    no_route: 404,
    bad_request: 400,
    body_too_large: 413,
    client_timeout: 408,
    client_gone: 499,
    refused_by_plugin: 403,
    no_upstream: 503,
    unknown_upstream: 502,
    connect_refused: 502,
    connect_timeout: 504,
    upstream_closed: 502,
    bad_response: 502,
    upstream_timeout: 504,
    internal: 500,
  }
  for (const [code, status] of Object.entries(expected)) assert.equal(statusOf(code as Code), status, code)
})
