/**
 * Opens the database file of the embedded source: its tables, its file modes, the lock that keeps a second process out,
 * and SQLite's errors in words that say what to do.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConfigError } from './config-error.ts'

const tables = `
  CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT OR IGNORE INTO counter VALUES ('revision', 0);
  CREATE TABLE IF NOT EXISTS resource (
    kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, expires INTEGER,
    PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS resource_expires ON resource (expires) WHERE expires IS NOT NULL;
  CREATE TABLE IF NOT EXISTS history (
    revision INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT
  );
  PRAGMA user_version = 1;
`

export interface OpenedDatabase {
  readonly db: DatabaseSync
  /** Lets go of the file. Idempotent. */
  close(): void
}

/** Makes what is missing. Throws ConfigError where the file is in use, damaged, of a later version or not writable. */
export function openDatabase(file: string, lockMs: number): OpenedDatabase {
  let held: DatabaseSync | undefined
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    touch(file)
    const locked = lock(file, lockMs)
    held = locked
    const db = open(file)
    return {
      db,
      close() {
        if (!db.isOpen) return
        db.close()
        locked.close()
      },
    }
  } catch (error) {
    held?.close()
    throw new ConfigError({ file, path: '', line: undefined }, messageOf(error), error)
  }
}

function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 1000 })
  try {
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > 1) throw new Error(`it was written by a later version of Sluice (format ${version})`)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;')
    const check = db.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
    if (check !== 'ok') throw new Error(`it is damaged (${String(check)}); restore a copy or move it away`)
    db.exec(tables)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * An exclusive lock on a file beside the database: other processes may still read the database (a backup, a look inside), and the
 * kernel releases the lock however this process ends.
 */
function lock(file: string, timeout: number): DatabaseSync {
  touch(`${file}.lock`)
  const db = new DatabaseSync(`${file}.lock`, { timeout })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * The values are secrets: readable for the owner only, from the first moment on. A file that exists is not opened: to close it again
 * would drop every lock that this process has on it (POSIX, fcntl).
 */
function touch(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    chmodSync(file, 0o600)
  }
}

/** SQLite's primary result codes, in words that say what to do. */
export function messageOf(error: unknown): string {
  const { errcode, message } = error as { errcode?: number; message: string }
  switch (errcode === undefined ? undefined : errcode & 0xff) {
    case 5:
    case 6:
      return 'another process of Sluice has it open; only one may write to it'
    case 11:
    case 26:
      return `it is damaged or no database (${message}); restore a copy or move it away`
    default:
      return message
  }
}
