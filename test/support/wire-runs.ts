/**
 * Which integration tests run once on each wire: those whose subject are bytes and connections on their way through. What looks at
 * routes, plugins, configuration or the command line runs once, on the best wire.
 */
import path from 'node:path'
import { type WireKind, wires } from '../../src/net/wires.ts'
import type { SkippedTest, TestRun } from './test-runs.ts'

/** By the name of the file, without its folder and ending. Each starts a gateway, or takes its wire from `test-wire.ts`. */
export const onEachWire: readonly string[] = [
  'bad-input',
  'databases',
  'drain',
  'http-failures',
  'http-forwarding',
  'http-smuggling',
  'http-tls',
  'live-changes',
  'overload',
  'reload',
  'stream-plugins',
  'stream-tls',
  'stream-tls-upstream',
  'stream-udp',
  'streams',
  'tls-clients',
  'tls-handshake-abuse',
  'tls-origination',
  'tls-passthrough',
  'tls-termination',
  'websocket',
  'websocket-deflate',
  'websocket-echo',
  'websocket-edges',
  'worker-failure',
]

const isOnEach = (file: string): boolean =>
  path.basename(path.dirname(file)) === 'integration' && onEachWire.includes(path.basename(file, '.test.ts'))

/** The wires of these names, all when there are none. Throws for a name that there is not. */
export function wiresNamed(names: readonly string[]): readonly WireKind[] {
  if (names.length === 0) return wires
  return names.map((name) => {
    const kind = wires.find((wire) => wire.name === name)
    if (kind !== undefined) return kind
    throw new Error(`--wire ${name}: expected ${wires.map((wire) => wire.name).join(', ')}, or several with commas`)
  })
}

/** The files in their order, then those that depend on the wire again for each; a wire that cannot be had here is skipped. */
export function runsOnWires(
  files: readonly string[],
  kinds: readonly WireKind[],
): { runs: readonly TestRun[]; skipped: readonly SkippedTest[] } {
  const each = files.filter(isOnEach)
  const runs: TestRun[] = files.filter((file) => !each.includes(file)).map((file) => ({ file }))
  const skipped: SkippedTest[] = []
  if (each.length === 0) return { runs, skipped }
  for (const { name, refusal } of kinds) {
    const reason = refusal()
    if (reason === undefined) {
      runs.push(...each.map((file) => ({ file, label: name, env: { SLUICE_TEST_WIRE: name } })))
    } else {
      skipped.push({ file: 'test/integration', name: `${each.length} files on ${name}`, reason })
    }
  }
  return { runs, skipped }
}
