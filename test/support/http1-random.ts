/** Requests and answers of HTTP/1.1 by grammar, right ones and nearly right ones, and damage done to them. */
import type { Dice } from './dice.ts'

/** Mostly the first list, sometimes the second. */
const mostly = (dice: Dice, right: readonly string[], wrong: readonly string[]): string =>
  dice.pick(dice.roll(25) === 0 ? wrong : right)

const lineEnd = (dice: Dice): string =>
  dice.roll(250) === 0 ? dice.pick(['\n', '\r', '\r\r\n', ' \r\n', '\n\r']) : '\r\n'
const blanks = (dice: Dice): string =>
  mostly(dice, [' ', ' ', ' ', ' ', ' ', '', '', '\t', '  '], ['\v', '\f', '\r\n ', '\n\t', '\0'])

const methods = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PURGE', 'M-SEARCH', 'TRACE']
const oddMethods = ['get', 'CONNECT', 'PRI', 'G ET', '', 'FOO', 'GET\t', 'POST\0']
const targets = [
  '/',
  '/a/b?c=d',
  '/%41%zz',
  '/a;b=c,d',
  '/?',
  '/~x_y',
  'http://h.example/x',
  'https://h:8443?y',
  '/"<>^`{|}\\',
]
const oddTargets = [
  '',
  'x',
  '/ b',
  '/\x7f',
  '/\xe9',
  '/a#b',
  'http://',
  'http:///x',
  'ftp://h/',
  '/\t',
  '//h/x',
  'h:80',
  'http://u@h/',
  '*',
  '*x',
  '/\0',
]
const versions = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0']
const oddVersions = [
  'HTTP/2.0',
  'HTTP/0.9',
  'HTTP/1.2',
  'http/1.1',
  'HTTP/1.',
  'HTTP/11',
  '',
  'HTTP/1.1 ',
  'HTTP/01.1',
  'ICE/1.0',
  'RTSP/1.0',
]
const hosts = ['a.example', 'h:80', '[::1]:8080', 'A.B.', '127.0.0.1']
const oddHosts = ['', 'a b', 'a,b', 'a/b', 'u@h', 'a:b', '%41', ':80', '[::1', 'a:99999']
const values = ['x', 'caf\xe9', 'a b  c', '', '"q\\"', 'text/plain;q=0.5, */*', '\xff\x80', 'a:b']
const oddValues = ['a\0b', 'a\x01', 'a\x7fb', 'a\nb', 'a\rb', 'a\r\n b', 'a\bc']
const names = ['Accept', 'X-A', 'user-agent', 'COOKIE', 'Cookie', '!#$%&', 'x_y', 'If-None-Match', 'E']
const oddNames = ['X A', 'X-A ', ' X', '', 'X\0', 'X(', 'X\xe9', 'X:', '"X"', '\tX', 'X-A\t', 'X\r']
const codings = ['chunked', 'chunked', 'Chunked', 'CHUNKED']
const oddCodings = [
  'gzip, chunked',
  'chunked, gzip',
  'identity',
  '',
  'xchunked',
  'chunked;q=1',
  '"chunked"',
  'chunked,',
  ' ,chunked',
  'chunked chunked',
  'chunked\v',
  'gzip',
]
const oddLengths = [
  '-1',
  '+3',
  '0x3',
  '3,3',
  '3, 3',
  '3 3',
  '',
  '1e1',
  '9007199254740993',
  '18446744073709551616',
  '3\t4',
  '٣',
  '3;',
  '00',
]
const connections = ['keep-alive', 'close', 'Keep-Alive', 'X-A', 'close, X-A', 'TE, keep-alive', 'upgrade']
const bodies = ['', 'abc', 'hello world', 'GET /s HTTP/1.1\r\nHost: s\r\n\r\n', '0\r\n\r\n', '\r\n']
const extensions = ['', '', '', '', ';a', ';a=b', ';a="b c\\"d"', ';a;b=c']
const oddExtensions = [
  ' ',
  ';',
  ';=b',
  ';a=',
  ' ;a',
  ';a="b',
  ';a\n',
  ';a b',
  ';a="\x01"',
  '\t',
  ';a="b"c',
  ';a=b"',
  ';é',
  ';a="\xe9"',
]
const oddSizes = [
  '',
  '-1',
  '+3',
  '0x3',
  'g',
  '3 ',
  ' 3',
  'fffffffffffffffff',
  '3.',
  '00000000000000003',
  '10000000000000',
]

function field(dice: Dice, name: string, value: string): string {
  const trail = dice.roll(10) === 0 ? dice.pick([' ', ' ', '  ', '\t', ' \t ']) : ''
  return `${name}${dice.roll(250) === 0 ? ' ' : ''}:${blanks(dice)}${value}${trail}${lineEnd(dice)}`
}

const anyField = (dice: Dice): string =>
  field(dice, mostly(dice, names, oddNames), dice.roll(4) === 0 ? dice.pick(oddValues) : dice.pick(values))

const plainField = (dice: Dice): string => field(dice, dice.pick(names), dice.pick(values))

function someFields(dice: Dice): string {
  let text = ''
  for (let count = dice.roll(4); count > 0; count -= 1) text += dice.roll(20) === 0 ? anyField(dice) : plainField(dice)
  if (dice.roll(5) === 0) text += field(dice, 'Connection', dice.pick(connections))
  if (dice.roll(25) === 0) text += field(dice, 'Upgrade', dice.pick(['websocket', 'h2c']))
  return text
}

function chunkedBody(dice: Dice): string {
  let text = ''
  for (let count = dice.roll(4); count > 0; count -= 1) {
    const data = dice.pick(bodies.filter((body) => body !== ''))
    const right = dice.pick([data.length.toString(16), `0${data.length.toString(16).toUpperCase()}`])
    const size = dice.roll(40) === 0 ? dice.pick(oddSizes) : right
    const extension = mostly(dice, extensions, dice.roll(3) === 0 ? oddExtensions : extensions)
    const end = dice.roll(60) === 0 ? '' : lineEnd(dice)
    const excess = dice.roll(60) === 0 ? dice.pick(['x', '0', '\r\n']) : ''
    text += `${size}${extension}${lineEnd(dice)}${data}${excess}${end}`
  }
  text += `${dice.roll(20) === 0 ? '000' : '0'}${mostly(dice, extensions, extensions)}${lineEnd(dice)}`
  for (let count = dice.roll(5) === 0 ? 1 + dice.roll(2) : 0; count > 0; count -= 1) {
    const kind = dice.roll(12)
    if (kind < 2) text += anyField(dice)
    else if (kind > 2) text += plainField(dice)
    else text += field(dice, dice.pick(['Content-Length', 'Transfer-Encoding', 'Host', 'Trailer']), dice.pick(values))
  }
  return `${text}${lineEnd(dice)}`
}

/** The fields that frame a body, in a random place among others, and the body. */
function framed(dice: Dice, before: string): string {
  const others = someFields(dice)
  const [framing, body] = framingOf(dice)
  return dice.roll(2) === 0
    ? `${before}${framing}${others}${lineEnd(dice)}${body}`
    : `${before}${others}${framing}${lineEnd(dice)}${body}`
}

function framingOf(dice: Dice): [fields: string, body: string] {
  const kind = dice.roll(20)
  if (kind < 7) return ['', '']
  const body = dice.pick(bodies)
  const length = field(dice, dice.pick(['Content-Length', 'content-length']), String(body.length))
  if (kind < 12) return [length, body]
  const coding = field(dice, dice.pick(['Transfer-Encoding', 'transfer-encoding']), dice.pick(codings))
  if (kind < 17) return [coding, chunkedBody(dice)]
  if (kind === 17) return [field(dice, 'Content-Length', dice.pick(oddLengths)), body]
  if (kind === 18) return [field(dice, 'Transfer-Encoding', dice.pick(oddCodings)), chunkedBody(dice)]
  return [
    dice.pick([`${length}${coding}`, `${coding}${length}`, `${length}${length}`, `${coding}${coding}`]),
    chunkedBody(dice),
  ]
}

function randomRequest(dice: Dice): string {
  const method = mostly(dice, methods, dice.roll(2) === 0 ? oddMethods : methods)
  const target = mostly(dice, targets, dice.roll(2) === 0 ? oddTargets : targets)
  const version = mostly(dice, versions, dice.roll(2) === 0 ? oddVersions : versions)
  const gap = dice.roll(100) === 0 ? dice.pick(['  ', '\t', '']) : ' '
  const lead = dice.roll(30) === 0 ? dice.pick(['\r\n', '\r\n\r\n', '\n', '\r', ' ']) : ''
  const first = `${lead}${method}${gap}${target} ${version}${lineEnd(dice)}`
  if (dice.roll(30) === 0) return framed(dice, first)
  const host = field(dice, dice.pick(['Host', 'host']), mostly(dice, hosts, dice.roll(2) === 0 ? oddHosts : hosts))
  return framed(dice, `${first}${host}${dice.roll(60) === 0 ? host : ''}`)
}

const statuses = ['200', '404', '500', '201', '301', '204', '304', '100', '103']
const oddStatuses = ['99', '000', '2000', '2 0', '', 'abc', '-20', '101', '999', '099']
const reasons = [' OK', ' ', '', ' Not Found', ' caf\xe9\t!']
const oddReasons = [' a\0b', ' a\x01', '  ', 'OK', ' \x7f', '\t']

function randomAnswer(dice: Dice): string {
  const version = mostly(dice, versions, dice.roll(2) === 0 ? oddVersions : versions)
  const status = mostly(dice, statuses, dice.roll(2) === 0 ? oddStatuses : statuses)
  const reason = mostly(dice, reasons, dice.roll(2) === 0 ? oddReasons : reasons)
  const lead = dice.roll(60) === 0 ? dice.pick(['\r\n', '\n', ' ']) : ''
  return framed(dice, `${lead}${version} ${status}${reason}${lineEnd(dice)}`)
}

const several = (dice: Dice, one: (dice: Dice) => string): Buffer => {
  let text = ''
  for (let count = dice.roll(3); count >= 0; count -= 1) text += one(dice)
  return Buffer.from(text, 'latin1')
}

/** One to three, one after the other. */
export const randomRequests = (dice: Dice): Buffer => several(dice, randomRequest)
export const randomAnswers = (dice: Dice): Buffer => several(dice, randomAnswer)

const splinters = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  ';',
  '"',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '0',
  '#',
  'chunked',
  '\r\n ',
]

/** With a byte changed, left out, put in, or a stretch repeated or gone, up to three times. */
export function damaged(dice: Dice, whole: Buffer): Buffer {
  let bytes = whole
  for (let count = dice.roll(3); count >= 0 && bytes.length > 0; count -= 1) {
    const at = dice.roll(bytes.length)
    const before = bytes.subarray(0, at)
    const stretch = dice.roll(20)
    const splinter = Buffer.from(
      dice.roll(3) === 0 ? String.fromCharCode(dice.roll(256)) : dice.pick(splinters),
      'latin1',
    )
    switch (dice.roll(5)) {
      case 0:
        bytes = Buffer.concat([before, splinter, bytes.subarray(at + 1)])
        break
      case 1:
        bytes = Buffer.concat([before, splinter, bytes.subarray(at)])
        break
      case 2:
        bytes = Buffer.concat([before, bytes.subarray(at + 1)])
        break
      case 3:
        bytes = Buffer.concat([before, bytes.subarray(at, at + stretch), bytes.subarray(at)])
        break
      default:
        bytes = Buffer.concat([before, bytes.subarray(at + stretch)])
    }
  }
  return bytes
}

/** The bytes in pieces: whole, in two, or in many. */
export function cut(dice: Dice, bytes: Buffer): Buffer[] {
  const most = dice.pick([bytes.length, Math.ceil(bytes.length / 2), 40, 3, 1])
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + dice.roll(Math.max(1, most)))
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}
