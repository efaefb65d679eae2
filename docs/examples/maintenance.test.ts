/** Whom the example lets in. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Build, HttpExchange } from 'sluice/sdk'
import { plugin } from './maintenance.ts'

const { access } = plugin.create({ allow: ['10.0.0.0/8'], message: 'back at noon' }, {} as Build)
const from = (remoteAddress: string) => access?.({ remoteAddress } as HttpExchange)

test('addresses in the list are let in', () => assert.equal(from('10.1.2.3'), undefined))

test('others are told to come back', () => {
  assert.deepEqual(from('192.0.2.1'), { status: 503, body: { message: 'back at noon' } })
})
