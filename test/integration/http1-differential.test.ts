/**
 * The codec of HTTP/1.1 beside Node's own parser, llhttp in strict mode, on the same generated and damaged bytes, cut at
 * random. What llhttp refuses is refused; what both accept is the same message; where only llhttp accepts, the reason is one
 * of those listed here. Seeded: `SLUICE_FUZZ_SEED` repeats a run, `SLUICE_FUZZ_ROUNDS` makes it longer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CodecError } from '../../protocols/http1/codec/codec-error.ts'
import type { RequestHead } from '../../protocols/http1/codec/request-head.ts'
import type { AnswerHead } from '../../protocols/http1/codec/response-head.ts'
import { Dice, fuzzSeed } from '../support/dice.ts'
import {
  answerReader,
  fieldsOf,
  type MessageReader,
  requestReader,
  type WholeMessage,
} from '../support/http1-messages.ts'
import { cut, damaged, randomAnswers, randomRequests } from '../support/http1-random.ts'
import { type LlhttpMessage, type LlhttpOutcome, readByLlhttp } from '../support/llhttp.ts'

const rounds = Number(process.env['SLUICE_FUZZ_ROUNDS'] ?? 25_000)

/** Where the codec is stricter on purpose: what it says then, and why. */
const stricter: Readonly<Record<string, string>> = {
  'a bare LF in the first line': 'llhttp skips line feeds before a message',
  'a bare CR before the first line': 'llhttp skips carriage returns before a message',
  'an empty line in place of the first line':
    'one is let pass before a request, none before an answer; llhttp skips any',
  'a request line that has not three parts': 'HTTP/0.9',
  'a request line without a version': 'ICE/1.0 and RTSP/1.0, which llhttp knows',
  'a version other than 1.0 and 1.1': 'llhttp takes 0.9 and 2.0 in the form of 1.x',
  'the method PRI': 'of HTTP/2 alone',
  'the byte 0x23 in the first line': 'a fragment, which no target has',
  'the byte 0x[0-9a-f]{2} in the first line': 'control characters in reasons',
  'the target \\* with .*': 'only OPTIONS has it',
  'a request target in none of its forms': 'text after *, schemes other than http and https, user names',
  'CONNECT to no host and port': 'llhttp takes any target of CONNECT',
  'no Host': 'HTTP/1.1 needs one',
  'a second Host': 'also when both are the same',
  'a Host that is no host': 'llhttp does not look into it',
  'a status line that is none': 'ICE/1.0 and RTSP/1.0, versions 0.9 and 2.0, statuses below 100',
  'a Transfer-Encoding other than chunked': 'llhttp takes codings before chunked, and any in answers',
  'a tab beside Transfer-Encoding': 'llhttp takes the coding of an answer for another one then',
  'Transfer-Encoding in HTTP/1.0': 'nobody means the same by it',
  'both Content-Length and Transfer-Encoding': 'llhttp passes codings other than chunked',
  'a Content-Length beyond all bounds': 'above 2^53 - 1; llhttp counts to 2^64 - 1',
  'a chunk size beyond all bounds': 'above 2^53 - 1, or more than 14 digits; llhttp passes any zeros',
  'a chunk extension that is none': 'llhttp passes some without a name, and quotes inside values',
  'an interim answer that none can follow': 'of HTTP/1.0, or with Connection: close',
  '101 without Upgrade and its Connection': 'llhttp reads it as any interim answer',
  'framing in a trailer section': 'llhttp passes Transfer-Encoding there',
}

interface Outcome<Head> {
  readonly messages: readonly WholeMessage<Head>[]
  /** `closes`: the last message was the last of its connection. */
  readonly end: 'done' | 'waits' | 'refuses' | 'closes'
  readonly error: string | undefined
}

function outcomeOf<Head>(reader: MessageReader<Head>, pieces: readonly Uint8Array[]): Outcome<Head> {
  try {
    for (const piece of pieces) reader.push(piece)
    reader.close()
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return { messages: reader.messages, end: 'refuses', error: error.message }
  }
  const end = reader.stopped ? 'closes' : reader.midway ? 'waits' : 'done'
  return { messages: reader.messages, end, error: undefined }
}

const hop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'expect'])

/** llhttp's fields as the codec's list would have them. */
function endToEnd(fields: readonly string[], skip: (lower: string) => boolean): string[] {
  const lines: string[] = []
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string
    if (!hop.has(name.toLowerCase()) && !skip(name.toLowerCase())) lines.push(`${name}: ${fields[at + 1]}`)
  }
  return lines
}

const without = (lines: readonly string[], skip: (lower: string) => boolean): string[] =>
  lines.filter((line) => !skip(line.slice(0, line.indexOf(':')).toLowerCase()))

function assertSameRequest(ours: WholeMessage<RequestHead>, theirs: LlhttpMessage): void {
  const { head } = ours
  const nominated = new Set(head.nominated)
  const skip = (lower: string): boolean => nominated.has(lower) || (lower === 'host' && head.form !== 'origin')
  assert.equal(head.method, theirs.method)
  assert.equal(head.target, theirs.target)
  assert.equal(head.version, theirs.version)
  assert.equal(head.keepAlive, theirs.keepAlive)
  assert.deepEqual(without(fieldsOf(head.headers), skip), endToEnd(theirs.fields, skip))
  assertSameBody(ours, theirs)
}

function assertSameAnswer(ours: WholeMessage<AnswerHead>, theirs: LlhttpMessage): void {
  const { head } = ours
  const nominated = new Set(
    theirs.fields.flatMap((text, at) =>
      theirs.fields[at - 1]?.toLowerCase() === 'connection' && at % 2 === 1
        ? text.split(',').map((name) => name.trim().toLowerCase())
        : [],
    ),
  )
  const skip = (lower: string): boolean => nominated.has(lower)
  assert.equal(head.status, theirs.status)
  assert.equal(head.reason, theirs.reason)
  assert.equal(head.version, theirs.version)
  assert.deepEqual(without(fieldsOf(head.headers), skip), endToEnd(theirs.fields, skip))
  assertSameBody(ours, theirs)
}

const noTrailers = new Set([
  'host',
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'trailer',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'max-forwards',
  'range',
])

function assertSameBody(ours: WholeMessage<unknown>, theirs: LlhttpMessage): void {
  assert.equal(ours.body.toString('latin1'), Buffer.concat(theirs.body).toString('latin1'))
  assert.deepEqual(
    fieldsOf(ours.trailers),
    endToEnd(theirs.trailers, (lower) => noTrailers.has(lower)),
  )
}

interface Tally {
  /** Messages that both read alike. */
  same: number
  /** Where only llhttp accepted, by the reason given here. */
  readonly stricter: Map<string, number>
}

function compare<Head>(
  ours: Outcome<Head>,
  theirs: LlhttpOutcome,
  assertSame: (ours: WholeMessage<Head>, theirs: LlhttpMessage) => void,
  tally: Tally,
): void {
  for (const [index, theirMessage] of theirs.messages.entries()) {
    const message = ours.messages[index]
    if (message === undefined) break
    assertSame(message, theirMessage)
    tally.same += 1
  }
  if (theirs.end === 'upgrade') return
  if (ours.messages.length > theirs.messages.length || (theirs.end === 'refuses' && ours.end === 'done')) {
    const isExempt = theirs.error === 'HPE_INVALID_METHOD'
    assert.ok(isExempt, `${ours.messages.length} messages; llhttp has ${theirs.messages.length}: ${theirs.error}`)
    return
  }
  if (ours.messages.length === theirs.messages.length && (ours.end !== 'refuses' || theirs.end === 'refuses')) return
  assert.equal(ours.end, 'refuses', `${ours.messages.length} messages; llhttp has ${theirs.messages.length}`)
  const reason = Object.keys(stricter).find((pattern) => new RegExp(`^(?:${pattern})$`).test(ours.error ?? ''))
  assert.ok(reason !== undefined, `only llhttp accepts: ${ours.error}`)
  tally.stricter.set(reason, (tally.stricter.get(reason) ?? 0) + 1)
}

interface Side<Head> {
  readonly type: 'request' | 'answer'
  make(dice: Dice): Buffer
  open(isBodiless: boolean): MessageReader<Head>
  assertSame(ours: WholeMessage<Head>, theirs: LlhttpMessage): void
}

function differential<Head>(side: Side<Head>): Tally {
  const dice = new Dice(fuzzSeed)
  const tally: Tally = { same: 0, stricter: new Map() }
  for (let round = 0; round < rounds; round += 1) {
    const whole = side.make(dice)
    const bytes = dice.roll(3) > 0 ? whole : damaged(dice, whole)
    const pieces = cut(dice, bytes)
    const isBodiless = side.type === 'answer' && dice.roll(6) === 0
    const ours = outcomeOf(side.open(isBodiless), pieces)
    const theirs = readByLlhttp(side.type, pieces, isBodiless)
    try {
      compare(ours, theirs, side.assertSame, tally)
    } catch (error) {
      const lengths = pieces.map((piece) => piece.length).join(' ')
      const text = JSON.stringify(bytes.toString('latin1'))
      assert.fail(`round ${round}, ${text} in ${lengths}: ${(error as Error).message}`)
    }
  }
  return tally
}

const requests: Side<RequestHead> = {
  type: 'request',
  make: randomRequests,
  open: () => requestReader(),
  assertSame: assertSameRequest,
}
const answers: Side<AnswerHead> = {
  type: 'answer',
  make: randomAnswers,
  open: (isBodiless) => answerReader(isBodiless ? 'HEAD' : 'GET'),
  assertSame: assertSameAnswer,
}

function report(context: { diagnostic(message: string): void }, { same, stricter: found }: Tally): void {
  context.diagnostic(`${same} messages alike`)
  for (const [reason, count] of found) context.diagnostic(`${count} times: ${reason}: ${stricter[reason]}`)
  assert.ok(same > rounds / 3, 'most of what is generated is right')
}

test(`${rounds} runs of requests are read as llhttp reads them, or refused, seed ${fuzzSeed}`, (context) => {
  report(context, differential(requests))
})

test(`${rounds} runs of answers are read as llhttp reads them, or refused, seed ${fuzzSeed}`, (context) => {
  report(context, differential(answers))
})
