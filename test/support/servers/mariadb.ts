/** A real MariaDB with a data directory of its own, and its own client. In this protocol the server speaks first. */

import { writeFileSync } from 'node:fs'
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
export const mariadbMissing = (): string | false => needs('mariadbd', 'mariadb-install-db', 'mariadb')

/** The user `sluice`, without a password, may do everything from anywhere. */
export async function startMariadb(): Promise<Running> {
  const account = unprivileged('mysql')
  const dir = makeDir(account)
  const port = await freePort()
  const data = `${dir}/data`
  const init = `${dir}/init.sql`
  try {
    const args = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db']
    await run(findProgram('mariadb-install-db')!, args, { account, cwd: dir })
    // The server reads one statement a line.
    const statements = ["CREATE USER sluice@'%';", "GRANT ALL ON *.* TO sluice@'%';", 'CREATE DATABASE sluice;', '']
    writeFileSync(init, statements.join('\n'), { mode: 0o644 })
  } catch (error) {
    removeDir(dir)
    throw error
  }
  const args = [
    '--no-defaults',
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${dir}/socket`,
    `--pid-file=${dir}/pid`,
    `--init-file=${init}`,
    '--skip-name-resolve',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-buffer-pool-size=32M',
  ]
  const answers = async (): Promise<boolean> => (await accepts(port)) && (await sql(port, 'select 1')) === '1'
  return start({ program: findProgram('mariadbd')!, args, port, dir, account, answers })
}

/** The rows of the statements, tab separated, through whatever listens on the port. */
export async function sql(port: number, statements: string): Promise<string> {
  const where = ['--no-defaults', '--protocol=tcp', '-h', '127.0.0.1', '-P', String(port), '-u', 'sluice', '--skip-ssl']
  const args = [...where, '--connect-timeout=10', '--batch', '--skip-column-names', '-e', statements, 'sluice']
  return (await run(findProgram('mariadb')!, args)).stdout.trim()
}
