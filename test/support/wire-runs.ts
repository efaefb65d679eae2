/**
 * Which integration tests run once on each wire: all that start a gateway or make a wire, but for those that say here why once
 * is enough.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type WireKind, wires } from '../../src/net/wires.ts'
import type { SkippedTest, TestRun } from './test-runs.ts'

/** By the name of the file, without its folder and ending. */
export const once: Readonly<Record<string, string>> = {
  'cli-gateway': 'about the command line',
  'docs-plugins': 'about the plugins of a user',
  durability: 'about what is written to disk',
  'http-plugins': 'about plugins, which see no sockets',
  'http-routing': 'about routes, which see no sockets',
  'live-sources': 'about where configuration comes from',
  'plugin-lists': 'about where configuration comes from',
  'plugin-reload': 'about the plugins of a user',
  'start-failures': 'about gateways that carry nothing',
  'wire-choice': 'about the choice itself',
}

const dependsOnWire = /^import .* from '\.\.\/support\/(gateway|test-wire|tls-listener)\.ts'$/m

const isOnEach = (file: string): boolean =>
  /\/test\/integration\//.test(file.replaceAll(path.sep, '/')) &&
  !(path.basename(file, '.test.ts') in once) &&
  dependsOnWire.test(readFileSync(file, 'utf8'))

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
