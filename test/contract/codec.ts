/** What every incremental codec promises, whatever its messages are. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Dice, fuzzSeed } from '../support/dice.ts'

export interface CodecReader {
  /** Messages that are whole, in order. */
  readonly messages: readonly unknown[]
  /** Inside a message: the end of input now means that it was cut off. */
  readonly midway: boolean
  /** Bytes it holds back because they make no whole yet. */
  readonly held: number
  /** Reads borrowed bytes, which it may not keep. */
  push(bytes: Uint8Array): void
  /** The input has ended. */
  close(): void
}

export interface CodecSample {
  readonly name: string
  /** One message. */
  readonly bytes: Uint8Array
  /** It is whole only when the input ends. */
  readonly endsByClose?: boolean
}

export interface CodecSubject {
  readonly name: string
  readonly samples: readonly CodecSample[]
  open(): CodecReader
  /** What messages are compared by. */
  view(message: unknown): unknown
  /** The message as bytes again. */
  write(message: unknown): Uint8Array
  /** Beginnings that no end makes a message, being too large, and the most bytes that may be held of any of them. */
  readonly tooLarge: Readonly<Record<string, Uint8Array>>
  readonly maxHeld: number
  isRefusal(error: unknown): boolean
  /** Pieces of messages, that random input is made of. */
  readonly fragments: readonly string[]
}

/** All messages of the pieces, as views. */
function read(subject: CodecSubject, pieces: readonly Uint8Array[]): unknown[] {
  const reader = subject.open()
  for (const piece of pieces) reader.push(piece)
  reader.close()
  assert.equal(reader.midway, false, 'nothing is left over')
  return reader.messages.map((message) => subject.view(message))
}

const bytewise = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))

export function codecContract(subject: CodecSubject): void {
  const whole = new Map(subject.samples.map((sample) => [sample.name, read(subject, [sample.bytes])]))

  describe(subject.name, () => {
    for (const sample of subject.samples) {
      const { name, bytes } = sample
      const expected = whole.get(name)

      test(`${name}: it is one message`, () => {
        assert.equal(expected?.length, 1)
      })

      test(`${name}: cut in two at any byte it is the same message`, () => {
        for (let at = 0; at <= bytes.length; at += 1) {
          assert.deepEqual(read(subject, [bytes.subarray(0, at), bytes.subarray(at)]), expected, `cut at ${at}`)
        }
      })

      test(`${name}: byte by byte it is the same message`, () => {
        assert.deepEqual(read(subject, bytewise(bytes)), expected)
      })

      test(`${name}: truncated at any byte it is no message, and the codec says that it is inside one`, () => {
        for (let at = 0; at < bytes.length; at += 1) {
          const reader = subject.open()
          reader.push(bytes.subarray(0, at))
          assert.equal(reader.midway, at > 0, `cut at ${at}`)
          assert.equal(reader.messages.length, 0, `cut at ${at}`)
        }
      })

      test(`${name}: what is written of it reads as the same message`, () => {
        const reader = subject.open()
        reader.push(bytes)
        reader.close()
        assert.deepEqual(read(subject, [subject.write(reader.messages[0])]), expected)
      })
    }

    test('two messages in one piece are read one after the other, wherever the piece is cut', () => {
      const samples = subject.samples.filter(({ endsByClose }) => endsByClose !== true)
      for (const first of samples) {
        for (const second of samples) {
          const both = Buffer.concat([first.bytes, second.bytes])
          const expected = [...(whole.get(first.name) ?? []), ...(whole.get(second.name) ?? [])]
          assert.deepEqual(read(subject, [both]), expected, `${first.name}, ${second.name}`)
          assert.deepEqual(read(subject, bytewise(both)), expected, `${first.name}, ${second.name}, byte by byte`)
        }
      }
    })

    for (const [name, bytes] of Object.entries(subject.tooLarge)) {
      test(`over the limit: ${name} is refused before all of it is held`, () => {
        for (const size of [1, 7, 1024, bytes.length]) {
          const reader = subject.open()
          const push = (): void => {
            for (let at = 0; at < bytes.length; at += size) {
              reader.push(bytes.subarray(at, at + size))
              assert.ok(reader.held <= subject.maxHeld, `${reader.held} bytes are held`)
            }
          }
          assert.throws(push, subject.isRefusal, `in pieces of ${size}`)
        }
      })
    }

    test(`random bytes end in messages, a wait or a refusal, and alike however they are cut, seed ${fuzzSeed}`, () => {
      const dice = new Dice(fuzzSeed)
      for (let round = 0; round < 5000; round += 1) {
        const bytes = randomBytes(dice, subject)
        assert.deepEqual(outcome(subject, randomCuts(dice, bytes)), outcome(subject, [bytes]), bytes.toString('latin1'))
      }
    })
  })
}

/** Fragments, some of them damaged. */
function randomBytes(dice: Dice, subject: CodecSubject): Buffer {
  const pieces: Buffer[] = []
  for (let count = dice.roll(12); count >= 0; count -= 1) {
    const piece = Buffer.from(dice.pick(subject.fragments), 'latin1')
    if (dice.roll(6) === 0 && piece.length > 0) piece[dice.roll(piece.length)] = dice.roll(256)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function randomCuts(dice: Dice, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + dice.roll(dice.roll(3) === 0 ? 3 : 60))
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

/** The messages, and how it stood at the end. */
function outcome(subject: CodecSubject, pieces: readonly Uint8Array[]): unknown {
  const reader = subject.open()
  let end = 'waits'
  try {
    for (const piece of pieces) reader.push(piece)
    if (!reader.midway) end = 'done'
  } catch (error) {
    assert.ok(subject.isRefusal(error), String(error))
    end = 'refuses'
  }
  return { end, messages: reader.messages.map((message) => subject.view(message)) }
}
