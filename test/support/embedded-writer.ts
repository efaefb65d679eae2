/** A process that writes to an embedded database as fast as it can and says each write that was acknowledged, until it is killed. */
import { writeSync } from 'node:fs'
import { EmbeddedSource } from '../../src/config/embedded.ts'

const [file = '', from = '0'] = process.argv.slice(2)
const source = new EmbeddedSource({ file, history: 100 })
for (let n = Number(from); ; n++) {
  // every tenth is deleted again, so that deletions have to survive as well
  const id = String(n % 50)
  await source.put('stream_routes', id, { n })
  if (n % 10 === 0) await source.delete('stream_routes', id)
  writeSync(1, `${n}\n`)
}
