/** A real PostgreSQL with an empty cluster of its own, and its own load generator as the client. Durability is switched off. */
import {
  accepts,
  findProgram,
  freePort,
  makeDir,
  needs,
  type Running,
  removeDir,
  run,
  start,
  unprivileged,
} from './program.ts'

/** What to give to `test` as its `skip`. */
export const postgresMissing = (): string | false => needs('initdb', 'postgres', 'pgbench', 'psql')

export interface PostgresOptions {
  /** Settings of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Trusts everybody on 127.0.0.1; the superuser and database are both `postgres`. */
export async function startPostgres({ settings = {} }: PostgresOptions = {}): Promise<Running> {
  const account = unprivileged('postgres')
  const dir = makeDir(account)
  const port = await freePort()
  const data = `${dir}/data`
  try {
    const args = [
      '-D',
      data,
      '-A',
      'trust',
      '-U',
      'postgres',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ]
    await run(findProgram('initdb')!, args, { account, cwd: dir })
  } catch (error) {
    removeDir(dir)
    throw error
  }
  const conf = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: dir,
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '100',
    ...settings,
  }
  const flags = Object.entries(conf).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const program = findProgram('postgres')!
  const answers = async (): Promise<boolean> => (await accepts(port)) && (await query(port, 'select 1')) === '1'
  // SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
  return start({ program, args: ['-D', data, ...flags], port, dir, account, answers, stopSignal: 'SIGINT' })
}

/** The rows of one statement as psql prints them bare, through whatever listens on the port. */
export async function query(port: number, statement: string): Promise<string> {
  const args = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-d', 'postgres', '-XAtq', '-c', statement]
  const env = { PGSSLMODE: 'disable', PGCONNECT_TIMEOUT: '10' }
  return (await run(findProgram('psql')!, args, { env })).stdout.trim()
}

export interface PgbenchResult {
  readonly transactions: number
  readonly failed: number
}

export interface PgbenchOptions {
  readonly clients: number
  /** Of each client. */
  readonly transactions: number
  /** Make the tables first. */
  readonly initialise?: boolean
  /** A new connection for each transaction. */
  readonly reconnect?: boolean
}

/** pgbench's TPC-B-like mixture against the port; rejects when a client aborted. */
export async function pgbench(port: number, options: PgbenchOptions): Promise<PgbenchResult> {
  const program = findProgram('pgbench')!
  const env = { PGSSLMODE: 'disable', PGCONNECT_TIMEOUT: '10' }
  const where = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres']
  if (options.initialise) await run(program, [...where, '-i', '-q', '-s', '1', 'postgres'], { env })
  const load = [
    '-n',
    '-c',
    String(options.clients),
    '-t',
    String(options.transactions),
    ...(options.reconnect ? ['-C'] : []),
  ]
  const { stdout } = await run(program, [...where, ...load, 'postgres'], { env })
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN)
  return {
    transactions: number(/number of transactions actually processed: (\d+)/),
    failed: number(/number of failed transactions: (\d+)/),
  }
}
