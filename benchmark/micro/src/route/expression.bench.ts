/** Evaluating compiled expressions, operator by operator. */
import assert from 'node:assert/strict'
import { compileExpression } from '../../../../src/route/expression.ts'
import type { Bench } from '../../harness.ts'

const values: Readonly<Record<string, string>> = {
  remote_addr: '10.1.2.3',
  server_port: '9100',
  sni: 'device-7.eu.test',
}
const lookup = (name: string): string | undefined => values[name]

const expressions: Readonly<Record<string, unknown>> = {
  equality: [['sni', '==', 'device-7.eu.test']],
  number: [['server_port', '>', 9000]],
  pattern: [['sni', '~~', '^device-[0-9]+\\.eu\\.']],
  ipmatch: [['remote_addr', 'ipmatch', ['192.0.2.0/24', '10.0.0.0/8']]],
  'nested logic': [
    ['OR', ['server_port', '==', 1], ['AND', ['sni', '~=', 'x'], ['server_port', 'in', ['9100', '9200']]]],
  ],
}

export const benches: readonly Bench[] = Object.entries(expressions).map(([name, json]): Bench => {
  const expression = compileExpression(json)
  return {
    name: `expression: ${name}`,
    check: () => assert.equal(expression.evaluate(lookup), true),
    run(times) {
      let held = 0
      for (let index = 0; index < times; index += 1) if (expression.evaluate(lookup)) held += 1
      return held
    },
  }
})
