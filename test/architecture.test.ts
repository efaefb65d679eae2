/**
 * The rules of the tree, read from the imports of every file: layers, guests, lists, and who may touch what.
 * An exception is an entry in a list below, with its reason; an entry that nothing needs any more fails as well.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { root, type SourceFile, sourceFiles } from './support/source-tree.ts'

/** From the lowest to the highest; a row's members are siblings and do not import each other. */
const layers: readonly (readonly string[])[] = [
  ['src/base/'],
  ['src/errors.ts'],
  ['src/observability/'],
  ['src/config/'],
  ['src/resources/'],
  ['src/net/'],
  ['src/exchange/'],
  ['src/protocol/'],
  ['src/balancer/', 'src/health/', 'src/discovery/'],
  ['src/upstream/'],
  ['src/plugin/'],
  ['src/route/'],
  ['src/snapshot/'],
  ['src/forward/'],
  ['src/sdk.ts'],
  ['protocols/', 'src/plugins/'],
  ['src/threads/'],
  ['src/admin/'],
  ['src/control/'],
  ['src/gateway.ts', 'src/worker.ts'],
  ['src/cli/'],
]
/** A protocol that is built on another may import that one's `index.ts`. */
const edges: Readonly<Record<string, readonly string[]>> = {
  'protocols/udp': ['protocols/tcp'],
  'protocols/grpc-web': ['protocols/grpc'],
  'protocols/transcode': ['protocols/grpc'],
  'src/plugins/limit-conn': ['src/plugins/limit-count'],
  'src/plugins/limit-req': ['src/plugins/limit-count'],
}
/** Libraries that a guest may import besides the sdk and Node's own. */
const guestLibraries: Readonly<Record<string, readonly string[]>> = {
  'src/plugins/jwt-auth': ['jose'],
  'src/plugins/limit-count': ['ioredis'],
}
const controlLibraries = ['fastify', 'etcd3', 'undici', '@grpc/grpc-js', '@grpc/proto-loader']
/** Where something may be used that is forbidden elsewhere, and why. */
const places: readonly {
  readonly what: string
  readonly pattern: RegExp
  readonly where: Readonly<Record<string, string>>
}[] = [
  {
    what: 'setTimeout or setInterval',
    pattern: /(?<![.\w])set(?:Timeout|Interval)\s*\(/,
    where: { 'src/base/timers.ts': 'the one wheel' },
  },
  {
    what: 'process.env',
    pattern: /\bprocess\.env\b/,
    where: { 'src/config/': 'the environment is configuration' },
  },
  { what: 'console', pattern: /(?<![.\w])console\s*\./, where: { 'src/cli/': 'the terminal is its output' } },
]
const builtins: readonly { readonly name: string; readonly where: Readonly<Record<string, string>> }[] = [
  { name: 'node:net', where: { 'src/net/': 'links', 'src/cli/control-socket.ts': 'a unix socket for the operator' } },
  { name: 'node:tls', where: { 'src/net/': 'links' } },
  { name: 'node:dgram', where: { 'src/net/': 'datagram sessions' } },
  { name: 'node:ffi', where: { 'src/net/direct/': 'the direct wire' } },
  { name: 'node:timers', where: { 'src/base/timers.ts': 'the one wheel' } },
  { name: 'node:timers/promises', where: { 'src/base/timers.ts': 'the one wheel' } },
]
const maxLines = 400
/** Files that are longer than `maxLines`, and why they are one idea all the same. */
const longFiles: Readonly<Record<string, string>> = {}
const bannedNames = ['utils', 'helpers', 'common', 'manager', 'types', 'misc']

const files = sourceFiles('src', 'protocols')
const byPath = new Map(files.map((file) => [file.file, file]))
const within = (file: string, place: string): boolean => (place.endsWith('/') ? file.startsWith(place) : file === place)
const rankOf = (file: string): number => layers.findIndex((row) => row.some((member) => within(file, member)))
const memberOf = (file: string): string => layers[rankOf(file)]?.find((member) => within(file, member)) ?? file

/** `protocols/tcp`, `src/plugins/limit-conn`: the guest that a file belongs to; undefined for hosts and the two lists. */
function guestOf(file: string): string | undefined {
  const [, guest] = /^((?:protocols|src\/plugins)\/[^/]+?)(?:\.ts|\/.*)$/.exec(file) ?? []
  return guest?.endsWith('/index') ? undefined : guest
}
const isList = (file: string): boolean => file === 'protocols/index.ts' || file === 'src/plugins/index.ts'

/** Fails with every breach at once, one per line. */
function none(breaches: readonly string[], rule: string): void {
  assert.equal(breaches.length, 0, `${rule}:\n  ${breaches.join('\n  ')}`)
}

test('every file has a place in the layers', () => {
  none(
    files.filter(({ file }) => rankOf(file) === -1).map(({ file }) => file),
    'in no layer',
  )
})

test('a file imports only from its own folder and from layers below it', () => {
  const breaches = files.flatMap(({ file, imports }) =>
    imports
      .filter(({ file: target }) => target !== undefined && memberOf(target) !== memberOf(file))
      .filter(({ file: target = '' }) => rankOf(target) >= rankOf(file))
      .map(({ file: target }) => `${file} imports ${target}`),
  )
  none(breaches, 'upward or sideways')
})

test('every relative import names a file that exists', () => {
  const breaches = files.flatMap(({ file, imports }) =>
    imports
      .filter(({ file: target }) => target !== undefined && !existsSync(path.join(root, target)))
      .map(({ specifier }) => `${file} imports ${specifier}`),
  )
  none(breaches, 'missing')
})

test('no import leads back to the file that it started from', () => {
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (file: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(file)
    if (seen !== -1) cycles.push([...trail.slice(seen), file].join(' → '))
    if (seen !== -1 || done.has(file)) return
    for (const { file: target } of byPath.get(file)?.imports ?? [])
      if (target !== undefined) visit(target, [...trail, file])
    done.add(file)
  }
  for (const { file } of files) visit(file, [])
  none(cycles, 'cycles')
})

test('exports have names: no default export, no export *', () => {
  const breaches = sourceFiles('src', 'protocols', 'test', 'benchmark').filter(({ code }) =>
    /\bexport\s+default\b|\bexport\s*\*|\bas\s+default\b/.test(code),
  )
  none(
    breaches.map(({ file }) => file),
    'unnamed exports',
  )
})

test('a guest imports the sdk, built-ins of Node, its own folder and its declared edges', () => {
  const allowed = (guest: string, { file = '', package: name }: SourceFile['imports'][number]): boolean => {
    if (name !== undefined) return name.startsWith('node:') || (guestLibraries[guest] ?? []).includes(name)
    if (file === 'src/sdk.ts' || guestOf(file) === guest) return true
    return (edges[guest] ?? []).some((other) => file === `${other}/index.ts`)
  }
  const breaches = files.flatMap((source) => {
    const guest = guestOf(source.file)
    if (guest === undefined) return []
    return source.imports
      .filter((found) => !allowed(guest, found))
      .map(({ specifier }) => `${source.file} imports ${specifier}`)
  })
  none(breaches, 'guests that reach past the sdk')
})

test('the sdk is a list of names and nothing else', {
  skip: !byPath.has('src/sdk.ts') && 'src/sdk.ts is not there',
}, () => {
  const rest = byPath.get('src/sdk.ts')?.code.replace(/\bexport\s+(?:type\s+)?\{[^}]*\}\s*from\s*['"] *['"];?/g, '')
  assert.equal(rest?.trim(), '')
})

test('each guest is in its list, and each entry of a list is a guest', () => {
  const breaches: string[] = []
  for (const list of files.filter(({ file }) => isList(file))) {
    const folder = path.posix.dirname(list.file)
    const listed = new Set(list.imports.map(({ file = '' }) => guestOf(file)).filter((guest) => guest !== undefined))
    const present = new Set(files.map(({ file }) => guestOf(file)).filter((guest) => guest?.startsWith(`${folder}/`)))
    for (const guest of present) if (guest && !listed.has(guest)) breaches.push(`${guest} is not in ${list.file}`)
    for (const guest of listed) if (!present.has(guest)) breaches.push(`${list.file} names ${guest}, which has no file`)
  }
  none(breaches, 'lists')
})

test('each protocol says in a README what it does and does not do', () => {
  const folders = globSync('protocols/*/', { cwd: root })
  none(
    folders.filter((folder) => !existsSync(path.join(root, folder, 'README.md'))),
    'without README.md',
  )
})

for (const { what, pattern, where } of places) {
  test(`${what} stands only in ${Object.keys(where).join(', ')}`, () => {
    const users = files.filter(({ code }) => pattern.test(code)).map(({ file }) => file)
    none(
      users.filter((file) => !Object.keys(where).some((place) => within(file, place))),
      what,
    )
  })
}

for (const { name, where } of builtins) {
  test(`${name} is imported only in ${Object.keys(where).join(', ')}`, () => {
    const users = files.filter(({ imports }) => imports.some((found) => found.package === name && !found.typeOnly))
    none(
      users.map(({ file }) => file).filter((file) => !Object.keys(where).some((place) => within(file, place))),
      name,
    )
  })
}

test('no library of the control side is reachable from a worker', {
  skip: !byPath.has('src/worker.ts') && 'src/worker.ts is not there',
}, () => {
  const breaches: string[] = []
  const seen = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const found of byPath.get(file)?.imports ?? []) {
      if (found.typeOnly || found.dynamic) continue
      if (found.file !== undefined) visit(found.file, [...trail, file])
      else if (controlLibraries.includes(found.package ?? ''))
        breaches.push([...trail, file, found.package].join(' → '))
    }
  }
  visit('src/worker.ts', [])
  none(breaches, 'reachable')
})

test('a file holds one idea: none is too long without a reason', () => {
  const all = sourceFiles('src', 'protocols', 'test', 'benchmark', 'demo')
  const long = all.filter(({ lines }) => lines > maxLines)
  none(
    long.filter(({ file }) => longFiles[file] === undefined).map(({ file, lines }) => `${file}: ${lines} lines`),
    `more than ${maxLines} lines`,
  )
  none(
    Object.keys(longFiles).filter((name) => !long.some(({ file }) => file === name)),
    'listed as long but short or gone',
  )
})

test('files are named in kebab-case after what they hold, and say so in their first lines', () => {
  const breaches = files.flatMap(({ file, text }) => {
    const name = path.posix.basename(file, '.ts')
    const faults = []
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) faults.push(`${file}: not kebab-case`)
    if (bannedNames.includes(name)) faults.push(`${file}: '${name}' names no idea`)
    if (!/^(?:\/\*\*|\/\/)/.test(text)) faults.push(`${file}: does not open with a comment`)
    return faults
  })
  none(breaches, 'names and first lines')
})
