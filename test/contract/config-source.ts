/**
 * What every configuration source promises, run against a place of its own: a database, a prefix in etcd, a file, a document. A bed
 * says how its place is written to; the cases know only the interface.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { MemoryStore } from '../../src/config/resource-store.ts'
import { type ConfigSource, type ConfigWriter, WriteError } from '../../src/config/source.ts'
import type { Change } from '../../src/config/store.ts'
import { until } from '../support/until.ts'

export interface Item {
  readonly kind: string
  readonly id: string
  readonly value: JsonObject
}

/** One place where configuration stands, outliving the sources that are opened on it. */
export interface SourceBed {
  /** A source on the place; the one before must be closed. */
  open(): ConfigSource
  /** Makes the place hold exactly these, by whatever writes there in real life. The source that is open, if any, is given. */
  set(items: readonly Item[], source: ConfigSource | undefined): Promise<void>
  remove(): Promise<void>
}

export interface SourceSuite {
  readonly name: string
  /** Why this source cannot be tried on this machine; false: it can. */
  readonly skip: string | false
  /** Why what is there is gone after a restart; undefined: it stays. */
  readonly forgets?: string
  bed(): Promise<SourceBed>
}

const route = (id: string, value: JsonObject = {}): Item => ({ kind: 'stream_routes', id, value: { id, ...value } })
const upstream = (id: string, value: JsonObject = {}): Item => ({ kind: 'upstreams', id, value: { id, ...value } })

class Watched {
  readonly store: MemoryStore
  readonly changes: Change[] = []

  constructor() {
    this.store = new MemoryStore({
      check: (_kind, _id, value) => (value['bad'] === true ? 'it is bad' : undefined),
      log: { error() {} },
    })
    this.store.onChange((changes) => void this.changes.push(...changes))
  }

  /** Everything there is, by `kind/id`. */
  state(): Record<string, JsonObject> {
    const all = this.store.kinds().flatMap((kind) => [...this.store.all(kind)])
    return Object.fromEntries(all.map(({ kind, id, value }) => [`${kind}/${id}`, value]))
  }

  /** What was announced since the last call. */
  said(): string[] {
    return this.changes.splice(0).map((each) => {
      const { kind, id } = each.type === 'put' ? each.resource : each
      return `${each.type} ${kind}/${id}`
    })
  }

  becomes(items: readonly Item[]): Promise<unknown> {
    const wanted = stateOf(items)
    const what = `the state ${JSON.stringify(wanted)}`
    return until(() => JSON.stringify(sorted(this.state())) === JSON.stringify(wanted), { what })
  }
}

function stateOf(items: readonly Item[]): Record<string, JsonObject> {
  return sorted(Object.fromEntries(items.map(({ kind, id, value }) => [`${kind}/${id}`, value])))
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

interface Stage {
  readonly bed: SourceBed
  source: ConfigSource
  seen: Watched
  readonly stopping: AbortController
  /** Closes the source and opens another on the same place. */
  restart(): Promise<void>
}

export function configSourceSuite(suite: SourceSuite): void {
  const { skip } = suite
  const on = (
    name: string,
    run: (stage: Stage, context: TestContext) => Promise<void>,
    initial: readonly Item[] = [],
  ) =>
    test(`${suite.name}: ${name}`, { skip }, async (context) =>
      withStage(suite, initial, (stage) => run(stage, context)),
    )

  on(
    'the first full state is in the store when follow resolves',
    async ({ seen }) => {
      assert.deepEqual(sorted(seen.state()), stateOf([route('1', { a: 1 }), upstream('u')]))
    },
    [route('1', { a: 1 }), upstream('u')],
  )

  on('an empty place is a state', async ({ seen, source }) => {
    assert.deepEqual(seen.state(), {})
    assert.equal(source.status().reachable, true)
  })

  on('additions, changes and deletions arrive, and nothing else is announced', async ({ bed, source, seen }) => {
    const first = [route('a'), route('b'), upstream('u', { n: 1 })]
    await bed.set(first, source)
    await seen.becomes(first)
    seen.said()
    const second = [route('a'), upstream('u', { n: 2 }), route('c')]
    await bed.set(second, source)
    await seen.becomes(second)
    assert.deepEqual(seen.said().sort(), ['delete stream_routes/b', 'put stream_routes/c', 'put upstreams/u'])
  })

  on('resources stand in the order in which they were written', async ({ bed, source, seen }) => {
    const items = [route('c'), route('a'), route('b')]
    for (let count = 1; count <= items.length; count++) await bed.set(items.slice(0, count), source)
    await seen.becomes(items)
    assert.deepEqual(
      Array.from(seen.store.all('stream_routes'), (each) => each.id),
      ['c', 'a', 'b'],
    )
  })

  on('a bad value keeps the last good form, and the rest goes on', async ({ bed, source, seen }) => {
    await bed.set([route('a', { n: 1 }), route('b')], source)
    await seen.becomes([route('a', { n: 1 }), route('b')])
    await bed.set([route('a', { bad: true }), route('b', { n: 2 })], source)
    await seen.becomes([route('a', { n: 1 }), route('b', { n: 2 })])
    assert.deepEqual([...seen.store.rejected.keys()], ['stream_routes/a'])
    await bed.set([route('a', { n: 3 }), route('b', { n: 2 })], source)
    await seen.becomes([route('a', { n: 3 }), route('b', { n: 2 })])
    assert.equal(seen.store.rejected.size, 0)
  })

  on('credentials are kept apart from their consumer', async ({ bed, source, seen }) => {
    const items: Item[] = [
      { kind: 'consumers', id: 'jack', value: { username: 'jack' } },
      { kind: 'consumers', id: 'jack/credentials/one', value: { id: 'one', plugins: {} } },
    ]
    await bed.set(items, source)
    await seen.becomes(items)
  })

  on('after the abort nothing arrives', async ({ bed, source, seen, stopping }) => {
    await bed.set([route('a')], source)
    await seen.becomes([route('a')])
    stopping.abort()
    const late = new Watched()
    await bed.set([route('a'), route('b')], source)
    // a second reader of the same place shows that the change is there to be seen
    await source.follow(late.store, new AbortController().signal)
    await late.becomes([route('a'), route('b')])
    assert.deepEqual(Object.keys(seen.state()), ['stream_routes/a'])
  })

  on('everything is there after a restart', async (stage, context) => {
    if (suite.forgets !== undefined) return context.skip(suite.forgets)
    const items = [route('b', { text: 'ü\n"\u0000' }), route('a'), upstream('u', { nested: { list: [1, null, true] } })]
    for (let count = 1; count <= items.length; count++) await stage.bed.set(items.slice(0, count), stage.source)
    await stage.seen.becomes(items)
    const before = [...stage.seen.store.all('stream_routes')]
    await stage.restart()
    await stage.seen.becomes(items)
    assert.deepEqual([...stage.seen.store.all('stream_routes')], before, 'the order and the indexes too')
  })

  on('a long series of states ends in the same state', async ({ bed, source, seen }) => {
    let last: Item[] = []
    for (let step = 1; step <= 40; step++) {
      last = Array.from({ length: 12 }, (_, i) => i)
        .filter((i) => (step * (i + 3)) % 7 !== 0)
        .map((i) => (i % 2 === 0 ? route(`r${i}`, { n: (step + i) % 5 }) : upstream(`u${i}`, { n: step })))
      await bed.set(last, source)
    }
    await seen.becomes(last)
  })

  test(`${suite.name}: a closed source leaves nothing running`, { skip }, async () => {
    const bed = await suite.bed()
    await bed.set([], undefined)
    const source = bed.open()
    await source.follow(new Watched().store, new AbortController().signal)
    await source.close()
    await source.close()
    await bed.remove()
  })
}

/** For sources that the Admin API writes to. */
export function configWriterSuite(suite: SourceSuite): void {
  const { skip } = suite
  const on = (name: string, run: (writer: ConfigWriter, stage: Stage) => Promise<void>) =>
    test(`${suite.name}: ${name}`, { skip }, () =>
      withStage(suite, [], async (stage) => {
        assert.ok(stage.source.writer)
        await run(stage.source.writer, stage)
      }),
    )

  on('a write tells whether there was one before, and its indexes are those of a read', async (writer, { seen }) => {
    const first = await writer.put('stream_routes', '1', { a: 1 })
    assert.equal(first.created, true)
    assert.equal(first.resource.createdIndex, first.resource.modifiedIndex)
    const second = await writer.put('stream_routes', '1', { a: 2 })
    assert.equal(second.created, false)
    assert.equal(second.resource.createdIndex, first.resource.createdIndex)
    assert.ok(second.resource.modifiedIndex > first.resource.modifiedIndex)
    assert.deepEqual(await writer.read('stream_routes', '1'), second.resource)
    await until(() => seen.store.get('stream_routes', '1')?.value['a'] === 2)
    assert.deepEqual(seen.store.get('stream_routes', '1'), second.resource)
    assert.equal(await writer.read('stream_routes', '2'), undefined)
  })

  on('a list has one kind only, and each of it, sorted by id', async (writer) => {
    for (let i = 0; i < 300; i++) await writer.put('stream_routes', `r${String(i).padStart(3, '0')}`, { i })
    await writer.put('stream_routes_x', '1', {})
    const list = await writer.list('stream_routes')
    assert.deepEqual(
      list.map((each) => each.value['i']),
      Array.from({ length: 300 }, (_, i) => i),
    )
    assert.deepEqual(await writer.list('stream_rout'), [])
  })

  on('a delete says whether there was one, and takes exactly one', async (writer, { seen }) => {
    await writer.put('consumers', 'a', {})
    await writer.put('consumers', 'a/credentials/1', {})
    await writer.put('consumers', 'ab', {})
    assert.equal(await writer.delete('consumers', 'a'), true)
    assert.equal(await writer.delete('consumers', 'a'), false)
    assert.deepEqual(
      (await writer.list('consumers')).map((each) => each.id),
      ['a/credentials/1', 'ab'],
    )
    await until(() => seen.store.get('consumers', 'a') === undefined && seen.store.get('consumers', 'ab'))
  })

  on('a swap is done only where nobody was faster', async (writer) => {
    const { resource } = await writer.put('routes', '1', { n: 1 }, { expect: 0 })
    await writer.put('routes', '1', { n: 2 }, { expect: resource.modifiedIndex })
    const conflict = { reason: 'conflict', message: 'value changed before overwritten' }
    await assert.rejects(writer.put('routes', '1', { n: 3 }, { expect: resource.modifiedIndex }), conflict)
    await assert.rejects(writer.put('routes', '1', { n: 3 }, { expect: 0 }), WriteError)
    assert.equal((await writer.read('routes', '1'))?.value['n'], 2)
  })

  on('of many swaps at once one wins', async (writer) => {
    const { resource } = await writer.put('routes', '1', { n: 0 })
    const tries = Array.from({ length: 10 }, (_, n) =>
      writer.put('routes', '1', { n }, { expect: resource.modifiedIndex }),
    )
    const results = await Promise.allSettled(tries)
    assert.equal(results.filter((each) => each.status === 'fulfilled').length, 1)
  })

  on(
    'a resource with a time to live goes by itself, and lives on when written without one',
    async (writer, { seen }) => {
      await writer.put('routes', 'short', {}, { ttl: 1 })
      await writer.put('routes', 'saved', {}, { ttl: 1 })
      await writer.put('routes', 'saved', { kept: true })
      await until(() => seen.store.get('routes', 'saved')?.value['kept'] === true)
      await until(() => seen.store.get('routes', 'short') === undefined, { what: 'the end of the resource' })
      assert.equal(await writer.read('routes', 'short'), undefined)
      assert.ok(await writer.read('routes', 'saved'))
    },
  )

  on('writes to one resource are heard in the order in which they were done', async (writer, { seen }) => {
    for (let n = 0; n < 100; n++) await writer.put('routes', '1', { n })
    await until(() => seen.changes.length === 100, { what: 'the hundredth change' })
    const heard = seen.changes.map((each) => (each.type === 'put' ? each.resource.value['n'] : undefined))
    assert.deepEqual(
      heard,
      Array.from({ length: 100 }, (_, n) => n),
    )
    const revisions = seen.changes.map((each) => (each.type === 'put' ? each.resource.modifiedIndex : each.revision))
    assert.deepEqual(
      revisions,
      [...revisions].sort((a, b) => a - b),
    )
    assert.equal(seen.store.revision, revisions.at(-1))
  })

  on('generated ids have 20 digits and only grow', async (writer) => {
    const ids = [await writer.nextId(), await writer.nextId()]
    await writer.put('routes', '1', {})
    ids.push(await writer.nextId())
    for (const id of ids) assert.match(id, /^\d{20}$/)
    assert.deepEqual(ids, [...new Set(ids)].sort())
  })
}

async function withStage(
  suite: SourceSuite,
  initial: readonly Item[],
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const bed = await suite.bed()
  const stopping = new AbortController()
  const start = async () => {
    const source = bed.open()
    const seen = new Watched()
    await source.follow(seen.store, stopping.signal)
    return { source, seen }
  }
  await bed.set(initial, undefined)
  const stage: Stage = {
    bed,
    stopping,
    ...(await start()),
    async restart() {
      await stage.source.close()
      Object.assign(stage, await start())
    },
  }
  try {
    await run(stage)
  } finally {
    stopping.abort()
    await stage.source.close()
    await bed.remove()
  }
}
