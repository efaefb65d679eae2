/** Which folder holds `conf/`, `logs/` and `data/` when the command line does not name one. It makes no folder. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/**
 * `$SLUICE_HOME`; else the checkout that the program runs from; else, for an installed package (`checkout` undefined),
 * the current directory if it has a `conf/config.yaml`, and `~/.sluice` otherwise. Always absolute.
 */
export function defaultHome(checkout: string | undefined): string {
  const named = process.env['SLUICE_HOME']
  if (named !== undefined && named !== '') return path.resolve(named)
  if (checkout !== undefined) return checkout
  const here = process.cwd()
  return existsSync(path.join(here, 'conf', 'config.yaml')) ? here : path.join(homedir(), '.sluice')
}
