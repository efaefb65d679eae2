/** The error log: levels, redaction, storms, rotation, and what happens when the disk does not keep up. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createAccessLog } from '../../../../src/observability/access-log.ts'
import { isLogLevel, silentLog } from '../../../../src/observability/log.ts'
import { createLogger, type LoggerOptions } from '../../../../src/observability/logger.ts'
import { until } from '../../../support/until.ts'

let dir = ''
let count = 0
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-log-'))
})
after(() => rmSync(dir, { recursive: true }))

type Line = Record<string, unknown>
const fresh = (): string => join(dir, `made/on/demand-${count++}.log`)
const read = (path: string): Line[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
const open = (destination: string, more: Partial<LoggerOptions> = {}) =>
  createLogger({ destination, level: 'warn', worker: 3, ...more })

describe('the error log', () => {
  test('a line is JSON with time, nginx level name, worker, fields and message', async () => {
    const path = fresh()
    const log = open(path)
    log.crit({ route: 'r1', bytes: 5n }, 'cannot go on')
    await log.close()
    const [line] = read(path)
    assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(
      { ...line, time: '' },
      { time: '', level: 'crit', worker: 3, route: 'r1', bytes: '5', msg: 'cannot go on' },
    )
  })

  test('lines below the level are not written', async () => {
    const path = fresh()
    const log = open(path)
    log.debug({}, 'no')
    log.info({}, 'no')
    log.notice({}, 'no')
    log.warn({}, 'yes')
    log.emerg({}, 'yes')
    await log.close()
    assert.deepEqual(
      read(path).map((line) => line['level']),
      ['warn', 'emerg'],
    )
  })

  test('a child adds its fields to every line and shares the file', async () => {
    const path = fresh()
    const log = open(path)
    log.child({ listener: '0.0.0.0:9100' }).child({ route: 'a' }).warn({ node: 'n' }, 'x')
    await log.close()
    assert.deepEqual(
      { ...read(path)[0], time: '' },
      {
        time: '',
        level: 'warn',
        worker: 3,
        listener: '0.0.0.0:9100',
        route: 'a',
        node: 'n',
        msg: 'x',
      },
    )
  })

  test('secrets are blanked at any depth, in URLs and as private keys', async () => {
    const path = fresh()
    const log = open(path)
    log.warn(
      {
        tls: { client_key: 'abc', cert: 'shown' },
        headers: [{ 'X-API-KEY': 'abc', Cookie: 'abc' }],
        text: 'see http://user:abc@127.0.0.1:2379/v3?api_key=abc&x=1',
        pem: '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----',
        token: 'abc',
        error: Object.assign(new Error('over http://u:abc@h/'), { password: 'abc', code: 'E' }),
      },
      'config',
    )
    await log.close()
    const text = readFileSync(path, 'utf8')
    assert.doesNotMatch(text, /abc/)
    assert.match(text, /"cert":"shown"/)
    assert.match(text, /127\.0\.0\.1:2379/)
    assert.match(text, /"code":"E"/)
  })

  test('an error is written with its causes, and a circular value does no harm', async () => {
    const path = fresh()
    const log = open(path)
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    log.error({ error: new Error('outer', { cause: new Error('inner') }), loop }, 'failed')
    await log.close()
    const error = read(path)[0]?.['error'] as { message: string; cause: { message: string } }
    assert.equal(error.message, 'outer')
    assert.equal(error.cause.message, 'inner')
  })

  test('one message repeated in a storm is cut and its rest told once, others still pass', async () => {
    const path = fresh()
    const log = open(path, { perSecond: 10 })
    for (let i = 0; i < 5000; i++) log.warn({ i }, 'connect refused')
    log.warn({}, 'something else')
    await until(() => read(path).some((line) => line['suppressed'] === 4990), { what: 'the summary' })
    await log.close()
    const lines = read(path)
    assert.equal(lines.filter((line) => line['msg'] === 'connect refused').length, 10)
    assert.equal(lines.filter((line) => line['msg'] === 'something else').length, 1)
    assert.equal(lines.length, 12)
  })

  test('after a rotation new lines go to the new file and none is lost', async () => {
    const path = fresh()
    const log = open(path, { perSecond: 10_000 })
    for (let i = 0; i < 1000; i++) log.warn({ i }, 'line')
    renameSync(path, `${path}.1`)
    log.reopen()
    for (let i = 0; i < 1000; i++) log.warn({ i }, 'line')
    await log.close()
    await until(() => read(`${path}.1`).length === 1000, { what: 'the old file' })
    assert.equal(read(path).length, 1000)
  })

  test('the last words are on disk when flushSync returns', () => {
    const path = fresh()
    const log = open(path)
    log.emerg({}, 'going down')
    log.flushSync()
    assert.equal(read(path)[0]?.['msg'], 'going down')
    return log.close()
  })

  test('a line that comes after the close is not lost', async () => {
    const path = fresh()
    const log = open(path)
    const access = createAccessLog({ destination: path, bufferBytes: 16384, flushMs: 3_600_000, log: silentLog })
    await log.close()
    await access.close()
    log.warn({}, 'late')
    access.write('{"msg":"later"}')
    assert.deepEqual(
      read(path).map((line) => line['msg']),
      ['late', 'later'],
    )
  })

  test('a destination that cannot be opened is refused at once', () => {
    assert.throws(() => open('/dev/null/x.log'), /ENOTDIR|EEXIST/)
    assert.throws(() => open('syslog:server=127.0.0.1'), /only files/)
  })

  test('level names are nginx’s', () => {
    assert.ok(isLogLevel('emerg') && isLogLevel('notice'))
    assert.ok(!isLogLevel('fatal') && !isLogLevel('toString'))
  })
})

describe('the access log', () => {
  test('lines are gathered and written when the buffer is full', async () => {
    const path = fresh()
    const log = createAccessLog({ destination: path, bufferBytes: 100, flushMs: 3_600_000, log: silentLog })
    log.write('x'.repeat(60))
    assert.equal(readFileSync(path, 'utf8'), '')
    log.write('y'.repeat(60))
    await until(() => readFileSync(path, 'utf8').length === 122, { what: 'both lines' })
    await log.close()
  })

  test('a line does not stay in memory for longer than the flush time', async () => {
    const path = fresh()
    const log = createAccessLog({ destination: path, bufferBytes: 16384, flushMs: 10, log: silentLog })
    log.write('one')
    await until(() => readFileSync(path, 'utf8') === 'one\n', { what: 'the line' })
    await log.close()
  })

  test('what is gathered is written by close and by reopen, each to its own file', async () => {
    const path = fresh()
    const log = createAccessLog({ destination: path, bufferBytes: 16384, flushMs: 3_600_000, log: silentLog })
    log.write('one')
    renameSync(path, `${path}.1`)
    log.reopen()
    log.write('two')
    await log.close()
    await until(() => readFileSync(`${path}.1`, 'utf8') === 'one\n', { what: 'the old line' })
    assert.equal(readFileSync(path, 'utf8'), 'two\n')
  })

  test('lines beyond what may wait for the disk are dropped, counted and reported', async () => {
    const path = fresh()
    const reports: number[] = []
    const log = createAccessLog({
      destination: path,
      bufferBytes: 0,
      flushMs: 1000,
      maxPendingBytes: 1000,
      log: { ...silentLog, error: (fields) => reports.push(fields['droppedLines'] as number) },
    })
    for (let i = 0; i < 100; i++) log.write('z'.repeat(99))
    assert.ok(log.droppedLines > 0)
    await log.close()
    const written = readFileSync(path, 'utf8').length / 100
    assert.equal(written + log.droppedLines, 100)
    assert.equal(
      reports.reduce((sum, lines) => sum + lines, 0),
      log.droppedLines,
    )
  })

  test('a full disk loses lines, says so, and stops nothing', async () => {
    const errors: unknown[] = []
    const log = createAccessLog({
      destination: '/dev/full',
      bufferBytes: 0,
      flushMs: 1000,
      log: { ...silentLog, error: (fields) => errors.push(fields['error']) },
    })
    log.write('one')
    await until(() => errors.length > 0, { what: 'the report' })
    assert.match(String(errors[0]), /ENOSPC/)
    await log.close()
  })

  test('a log that is off takes lines and writes nothing', async () => {
    const log = createAccessLog({ destination: 'off', bufferBytes: 0, flushMs: 1, log: silentLog })
    log.write('x')
    log.reopen()
    await log.close()
    assert.equal(log.droppedLines, 0)
  })
})
