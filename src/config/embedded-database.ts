/**
 * What the embedded source reads from and writes to its database. One call is one transaction, durable when it returns.
 * It knows no store and no timer; how the file is opened and locked is embedded-file.ts.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JsonObject } from '../base/json.ts'
import { messageOf, type OpenedDatabase, openDatabase } from './embedded-file.ts'
import { WriteError } from './source.ts'
import type { Change, Resource } from './store.ts'

export interface HistoryEntry {
  readonly revision: number
  /** Unix time in milliseconds. */
  readonly at: number
  readonly kind: string
  readonly id: string
  /** Undefined: it was deleted. */
  readonly value: JsonObject | undefined
}

/** Changes between two trims of the history. */
const trimEvery = 64

export interface DatabaseOptions {
  readonly file: string
  /** How many changes are remembered, give or take `trimEvery`; 0: none. */
  readonly history: number
  /** How long to wait for another process to let go of the file. */
  readonly lockMs?: number
}

interface Row {
  kind: string
  id: string
  value: string
  created: number
  modified: number
  expires: number | null
}

export class EmbeddedDatabase {
  readonly #file: string
  readonly #history: number
  readonly #opened: OpenedDatabase
  readonly #db: DatabaseSync
  readonly #statements: Statements
  #untrimmed: number

  /** Makes what is missing. Throws ConfigError where the file is in use, damaged, of a later version or not writable. */
  constructor(options: DatabaseOptions) {
    this.#file = options.file
    this.#history = options.history
    this.#opened = openDatabase(options.file, options.lockMs ?? 1000)
    this.#db = this.#opened.db
    this.#statements = prepare(this.#db)
    this.#untrimmed = 0
    if (this.#history > 0) this.#statements.trim.run(this.#history)
    else this.#db.exec('DELETE FROM history')
  }

  get revision(): number {
    return Number(this.#statements.revision.get()?.['value'])
  }

  get(kind: string, id: string): Resource | undefined {
    return this.#guard(() => {
      const row = this.#statements.get.get(kind, id) as unknown as Row | undefined
      return row === undefined ? undefined : toResource(row)
    })
  }

  /** Of one kind, sorted by id, as etcd lists; of all, in the order in which they were created. */
  list(kind?: string): Resource[] {
    const { all, list } = this.#statements
    return this.#guard(() => ((kind === undefined ? all.all() : list.all(kind)) as unknown as Row[]).map(toResource))
  }

  /** Undefined: the value there is not that of `expect`. `expiresAt` is a Unix time in milliseconds. */
  put(
    kind: string,
    id: string,
    value: JsonObject,
    now: number,
    { expect, expiresAt }: { expect?: number | undefined; expiresAt?: number | undefined } = {},
  ): { resource: Resource; created: boolean } | undefined {
    const text = JSON.stringify(value)
    return this.#write(() => {
      const old = this.#statements.get.get(kind, id) as unknown as Row | undefined
      if (expect !== undefined && (old?.modified ?? 0) !== expect) return undefined
      const revision = this.#next()
      const created = old?.created ?? revision
      this.#statements.put.run(kind, id, text, created, revision, expiresAt ?? null)
      this.#remember(revision, now, kind, id, text)
      const resource = {
        kind,
        id,
        value: JSON.parse(text) as JsonObject,
        createdIndex: created,
        modifiedIndex: revision,
      }
      return { resource, created: old === undefined }
    })
  }

  /** Undefined: there was none. */
  delete(kind: string, id: string, now: number): Change | undefined {
    return this.#write(() =>
      this.#statements.get.get(kind, id) === undefined ? undefined : this.#remove(kind, id, now),
    )
  }

  /** Deletes everything whose time is over. */
  expire(now: number): Change[] {
    return this.#write(() => {
      const rows = this.#statements.expired.all(now) as unknown as Row[]
      return rows.map(({ kind, id }) => this.#remove(kind, id, now))
    })
  }

  /** When the next resource expires, as a Unix time in milliseconds; undefined: none does. */
  nextExpiry(): number | undefined {
    const at = this.#guard(() => this.#statements.nextExpiry.get()?.['at'])
    return typeof at === 'number' ? at : undefined
  }

  /** A new revision with nothing changed. */
  nextRevision(): number {
    return this.#write(() => this.#next())
  }

  /** The latest changes, the newest first. */
  history(limit = 100): HistoryEntry[] {
    const rows = this.#guard(() => this.#statements.history.all(limit)) as unknown as (Omit<Row, 'value'> & {
      revision: number
      at: number
      value: string | null
    })[]
    return rows.map(({ revision, at, kind, id, value }) => ({
      revision,
      at,
      kind,
      id,
      value: value === null ? undefined : (JSON.parse(value) as JsonObject),
    }))
  }

  /** Lets go of the file. Nothing may be called afterwards but this. */
  close(): void {
    this.#opened.close()
  }

  #remove(kind: string, id: string, now: number): Change {
    const revision = this.#next()
    this.#statements.delete.run(kind, id)
    this.#remember(revision, now, kind, id, null)
    return { type: 'delete', kind, id, revision }
  }

  #next(): number {
    return Number(this.#statements.next.get()?.['value'])
  }

  #remember(revision: number, now: number, kind: string, id: string, text: string | null): void {
    if (this.#history === 0) return
    this.#statements.remember.run(revision, now, kind, id, text)
    // counting rows costs as much as there are rows, so not at each change
    if (++this.#untrimmed < trimEvery) return
    this.#statements.trim.run(this.#history)
    this.#untrimmed = 0
  }

  #write<T>(change: () => T): T {
    return this.#guard(() => {
      this.#db.exec('BEGIN IMMEDIATE')
      try {
        const result = change()
        this.#db.exec('COMMIT')
        return result
      } catch (error) {
        // a full disk makes SQLite roll back by itself
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    })
  }

  #guard<T>(run: () => T): T {
    if (!this.#db.isOpen) throw new WriteError('unreachable', `${this.#file} is closed`)
    try {
      return run()
    } catch (error) {
      throw new WriteError('unreachable', `${this.#file}: ${messageOf(error)}`, error)
    }
  }
}

type Statements = ReturnType<typeof prepare>

function prepare(db: DatabaseSync) {
  const statement = (sql: string): StatementSync => db.prepare(sql)
  return {
    revision: statement(`SELECT value FROM counter WHERE name = 'revision'`),
    next: statement(`UPDATE counter SET value = value + 1 WHERE name = 'revision' RETURNING value`),
    get: statement('SELECT * FROM resource WHERE kind = ? AND id = ?'),
    all: statement('SELECT * FROM resource ORDER BY created'),
    list: statement('SELECT * FROM resource WHERE kind = ? ORDER BY id'),
    put: statement(
      'INSERT OR REPLACE INTO resource (kind, id, value, created, modified, expires) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    delete: statement('DELETE FROM resource WHERE kind = ? AND id = ?'),
    expired: statement('SELECT * FROM resource WHERE expires <= ? ORDER BY expires, created'),
    nextExpiry: statement('SELECT MIN(expires) AS at FROM resource WHERE expires IS NOT NULL'),
    remember: statement('INSERT INTO history (revision, at, kind, id, value) VALUES (?, ?, ?, ?, ?)'),
    // keeps the newest ?
    trim: statement(
      'DELETE FROM history WHERE revision <= (SELECT revision FROM history ORDER BY revision DESC LIMIT 1 OFFSET ?)',
    ),
    history: statement('SELECT * FROM history ORDER BY revision DESC LIMIT ?'),
  }
}

function toResource(row: Row): Resource {
  const value = JSON.parse(row.value) as JsonObject
  return { kind: row.kind, id: row.id, value, createdIndex: row.created, modifiedIndex: row.modified }
}
