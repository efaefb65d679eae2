/** The version of this program, as its package says, whether it runs from sources or compiled. */
import { readFileSync } from 'node:fs'

export const productVersion: string = (() => {
  const up = import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json'
  const text = readFileSync(new URL(up, import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
})()
