/**
 * The path that routes match, beside nginx's `$uri` for the same target: random runs of slashes, dots, escapes and bytes.
 * Seeded: `SLUICE_FUZZ_SEED` repeats a run.
 */
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { normalisePath } from '../../src/exchange/request-path.ts'
import { Dice, fuzzSeed } from '../support/dice.ts'
import { freePort } from '../support/free-port.ts'
import { nginxMissing, startNginx } from '../support/servers/nginx.ts'

const pieces = [
  '/',
  '/',
  '/',
  '.',
  '..',
  '...',
  'a',
  'b.',
  '%2e',
  '%2E%2e',
  '%2f',
  '%2F',
  '%61',
  '%25',
  '%23',
  '%3f',
  '%20',
]
const odd = ['%', '%2', '%zz', '%00', '%c3%a9', '%ff', '+', ';x', '?', '%3b', '%5c', '%0a', '%7f', '%252e']

function randomTarget(dice: Dice): string {
  let target = '/'
  for (let count = dice.roll(9); count > 0; count -= 1) target += dice.pick(dice.roll(8) === 0 ? odd : pieces)
  return target
}

/** What nginx shows, or undefined at a refusal. */
function ask(agent: http.Agent, port: number, path: string): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.get({ agent, port, host: '127.0.0.1', path }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => resolve(answer.statusCode === 200 ? Buffer.concat(parts) : undefined))
      answer.on('error', reject)
    })
    request.on('error', reject)
  })
}

/** The bytes that the path stands for. */
function bytesOf(path: string): Buffer {
  const parts = Array.from(path, (character) => {
    const code = character.charCodeAt(0)
    return code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character)
  })
  return Buffer.concat(parts)
}

test(`2,000 random targets stand for the path that nginx makes of them, seed ${fuzzSeed}`, {
  skip: nginxMissing(),
}, async () => {
  const port = await freePort()
  const server = `access_log off; server { listen 127.0.0.1:${port}; location / { return 200 $uri; } }`
  const nginx = await startNginx({ http: server, port })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
  try {
    const dice = new Dice(fuzzSeed)
    const targets = Array.from({ length: 2000 }, () => randomTarget(dice))
    const answers = await Promise.all(targets.map((target) => ask(agent, port, target)))
    for (const [index, target] of targets.entries()) {
      const path = normalisePath(target)?.path
      assert.deepEqual(path === undefined ? undefined : bytesOf(path), answers[index], target)
    }
    assert.ok(answers.filter((answer) => answer !== undefined).length > 1000)
  } finally {
    agent.destroy()
    await nginx.stop()
  }
})
