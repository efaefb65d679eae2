/**
 * A real browser for tests: Chromium without a window, that opens one page and is told nothing else; what happens there the page
 * tells a server itself. Its profile and all that it writes live in a folder of their own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { type TemporaryFolder, temporaryFolder } from '../home.ts'
import { until } from '../until.ts'
import { findProgram, needs } from './program.ts'

export const chromiumMissing = (): string | false => needs('chromium')

export interface BrowserOptions {
  /** This name is 127.0.0.1, and no other name is anything. */
  readonly name: string
  /** PEM of a certificate to be trusted, whoever signed it. */
  readonly trusts?: string
}

export interface Browser extends AsyncDisposable {
  /** Its home, profile included. */
  readonly folder: string
  /** The ids of its living processes. */
  processes(): readonly number[]
  /** What it said on standard error. */
  output(): string
  /** Ends every process of it, waits for them, and removes its folder. */
  stop(): Promise<void>
}

/** Starts the browser with this page. Whether it gets there is seen at the server. */
export function browse(url: string, { name, trusts }: BrowserOptions): Browser {
  const folder = temporaryFolder('sluice-chromium')
  const args = [
    ...['--headless', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--no-default-browser-check'],
    // Its sandbox needs rights that containers lack; the page is the test's own.
    '--no-sandbox',
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-breakpad'],
    ...['--no-proxy-server', `--host-resolver-rules=MAP ${name} 127.0.0.1, MAP * ~NOTFOUND`],
    `--user-data-dir=${folder.path}/profile`,
    ...(trusts === undefined ? [] : [`--ignore-certificate-errors-spki-list=${keyDigest(trusts)}`]),
    url,
  ]
  const home = { HOME: folder.path, TMPDIR: folder.path, XDG_CONFIG_HOME: folder.path, XDG_CACHE_HOME: folder.path }
  // A process group of its own: its many processes can be ended together.
  const child = spawn(findProgram('chromium') ?? 'chromium', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', ...home },
  })
  return new Running(child, folder)
}

/** As the option of Chromium wants it: SHA-256 of the public key, which holds for any certificate with that key. */
function keyDigest(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('base64')
}

class Running implements Browser {
  readonly #child: ChildProcess
  readonly #folder: TemporaryFolder
  #output = ''
  readonly #abandon = (): void => {
    this.#end()
    this.#folder[Symbol.dispose]()
  }

  constructor(child: ChildProcess, folder: TemporaryFolder) {
    this.#child = child
    this.#folder = folder
    const heard = (text: string): void => {
      this.#output = (this.#output + text).slice(-65_536)
    }
    child.on('error', ({ message }) => heard(message))
    child.stderr?.setEncoding('utf8').on('data', heard)
    process.once('exit', this.#abandon)
  }

  get folder(): string {
    return this.#folder.path
  }

  processes(): readonly number[] {
    return processesIn(this.folder)
  }

  output(): string {
    return this.#output
  }

  #end(): void {
    for (const pid of this.processes()) send(pid)
    if (this.#child.pid !== undefined) send(-this.#child.pid)
  }

  async stop(): Promise<void> {
    // It ends its own children, and waits for them, if it is let.
    this.#child.kill('SIGTERM')
    const { exitCode, signalCode } = this.#child
    if (exitCode === null && signalCode === null && this.#child.pid !== undefined) {
      const patience = setTimeout(() => this.#end(), 2000)
      await once(this.#child, 'exit')
      clearTimeout(patience)
    }
    this.#end()
    // What was about to be started is found the next time.
    const gone = (): boolean => {
      const left = this.processes()
      for (const pid of left) send(pid)
      return left.length === 0
    }
    await until(gone, { what: 'the end of the browser' })
    process.removeListener('exit', this.#abandon)
    this.#folder[Symbol.dispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function send(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** The living processes whose home is this folder, from /proc; none where there is no /proc. */
function processesIn(folder: string): number[] {
  const isOf = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`HOME=${folder}`)
    } catch {
      return false
    }
  }
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && isOf(name))
      .map(Number)
  } catch {
    return []
  }
}
