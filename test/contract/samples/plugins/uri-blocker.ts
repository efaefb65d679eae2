/** uri-blocker, as its documentation has it. */
import type { PluginSamples } from '../../plugin.ts'

export const samples: PluginSamples = {
  accepted: [{ block_rules: ['root.exe', 'root.m+'] }, { block_rules: ['a'], rejected_code: 501, case_insensitive: true }],
  refused: [
    [{}, 'property "block_rules" is required'],
    [{ block_rules: ['.+('] }, "invalid regular expression '.+('"],
    [{ block_rules: ['^a', '^a'] }, 'expected unique items'],
    [{ block_rules: ['a'], rejected_msg: '' }, 'string too short, expected at least 1, got 0'],
  ],
}
