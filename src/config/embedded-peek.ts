/** Reads the embedded database without opening it for writing: for checks beside a running gateway. Changes nothing. */
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { JsonObject } from '../base/json.ts'
import type { Resource } from './store.ts'

interface Row {
  readonly kind: string
  readonly id: string
  readonly value: string
  readonly created: number
  readonly modified: number
}

/** Every resource of the file, oldest first; none when there is no file. Throws when it is no database of ours. */
export function peekDatabase(file: string): readonly Resource[] {
  if (!existsSync(file)) return []
  const db = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
  try {
    const rows = db.prepare('SELECT kind, id, value, created, modified FROM resource ORDER BY created').all()
    return (rows as unknown as Row[]).map(({ kind, id, value, created, modified }) => ({
      kind,
      id,
      value: JSON.parse(value) as JsonObject,
      createdIndex: created,
      modifiedIndex: modified,
    }))
  } finally {
    db.close()
  }
}
