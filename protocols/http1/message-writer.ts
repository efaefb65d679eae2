/**
 * Writes messages to a link, one after the other: the head together with what follows it, the body in its framing. One for
 * each direction of a connection. It knows neither requests nor answers.
 */
import type { HeaderList, Link } from '#sdk'
import { chunkEnd, chunkStart, writeLastChunk } from './codec/chunked-writer.ts'
import { chunked } from './codec/head-writer.ts'
import { textOf } from './codec/octets.ts'

/** A first part up to this leaves in one write with its head, which copies it; a larger one is sent from where it lies. */
const joinedBytes = 16 * 1024
/** Chunks up to this are gathered, as text, until somebody flushes... */
const smallChunkBytes = 16 * 1024
/** ...or so much has been gathered. */
const gatheredBytes = 16 * 1024

export class MessageWriter {
  readonly #link: Link
  /** Latin1: what has not been sent yet. */
  #held: string
  #chunked: boolean
  /** Of a body whose length was announced; -1: no such one. */
  #left: number
  /** The link takes nothing more for now: set by sends, cleared by whoever hears that it has drained. */
  full: boolean

  constructor(link: Link) {
    this.#link = link
    this.#held = ''
    this.#chunked = false
    this.#left = -1
    this.full = false
  }

  /** Nothing is held back. */
  get flushed(): boolean {
    return this.#held === ''
  }

  /** `framing`: as for the writers of heads; other than a length or `chunked`, the body ends with the connection. */
  begin(head: string, framing: number): void {
    this.#held = head
    this.#chunked = framing === chunked
    this.#left = framing >= 0 ? framing : -1
  }

  /** Borrowed bytes of the body. False: they are more than were announced, and were not sent. */
  write(part: Uint8Array): boolean {
    const size = part.length
    if (size === 0) return true
    if (this.#chunked) this.#writeChunk(part, size)
    else {
      if (this.#left !== -1) {
        if (size > this.#left) return false
        this.#left -= size
      }
      this.#writeOn(part, size, '')
    }
    return true
  }

  /** The message is whole. False: fewer bytes were written than announced. Trailers only where the body is chunked. */
  finish(trailers: HeaderList | undefined, dropped: string[]): boolean {
    if (this.#left > 0) return false
    if (this.#chunked) this.#held += writeLastChunk(trailers, dropped)
    this.#chunked = false
    this.#left = -1
    this.flush()
    return true
  }

  flush(): void {
    if (this.#held === '') return
    const text = this.#held
    this.#held = ''
    if (!this.#link.sendText(text)) this.full = true
  }

  /** Forgets what was held back. */
  drop(): void {
    this.#held = ''
  }

  #writeChunk(part: Uint8Array, size: number): void {
    this.#held += chunkStart(size)
    if (size > smallChunkBytes) {
      this.#writeOn(part, size, chunkEnd)
      return
    }
    this.#held += textOf(part, 0, size) + chunkEnd
    if (this.#held.length > gatheredBytes) this.flush()
  }

  /** Sends what is held, then the part; `after` is held from then on. */
  #writeOn(part: Uint8Array, size: number, after: string): void {
    const link = this.#link
    const text = this.#held
    this.#held = after
    if (text === '') {
      if (!link.forward(part)) this.full = true
    } else if (size <= joinedBytes) {
      if (!link.sendText(text, part)) this.full = true
    } else {
      if (!link.sendText(text)) this.full = true
      if (!link.forward(part)) this.full = true
    }
  }
}
