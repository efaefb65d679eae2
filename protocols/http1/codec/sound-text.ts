/** Keeps what is written one head: tells text that would break it, and takes out of fields what would. */
import { HeaderList } from '#sdk'
import { isTokenText } from './octets.ts'

// On a string of one byte a character, which nearly all are, V8 answers this without looking.
const wide = /[\u0100-\uffff]/
const breaking = /[\0\r\n]/

/** It holds `lines` line ends, no other CR, LF or NUL, and only characters that are one byte. */
export function isSound(text: string, lines: number): boolean {
  return !wide.test(text) && !text.includes('\0') && count(text, '\r') === lines && count(text, '\n') === lines
}

function count(text: string, what: string): number {
  let times = 0
  for (let at = text.indexOf(what); at !== -1; at = text.indexOf(what, at + 1)) times += 1
  return times
}

/** The fields without those that would break a head, whose names are added to `dropped`; text beyond latin1 as UTF-8. */
export function soundFields(headers: HeaderList, dropped: string[]): HeaderList {
  const sound = new HeaderList()
  for (let index = 0; index < headers.size; index += 1) {
    const name = headers.nameAt(index)
    const value = headers.valueAt(index)
    if (!isTokenText(name) || breaking.test(value)) dropped.push(name)
    else sound.append(name, latin1Of(value))
  }
  return sound
}

/** Without the characters that end lines; text beyond latin1 as UTF-8. */
export function soundText(text: string): string {
  return latin1Of(text.replaceAll(/[\0\r\n]/g, ' '))
}

function latin1Of(text: string): string {
  return wide.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}
