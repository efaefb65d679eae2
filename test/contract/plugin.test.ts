/** The plugin suite over the plugins there are, each with the samples in `samples/plugins/`. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { plugins } from '../../src/plugins/index.ts'
import { type PluginSamples, pluginContract } from './plugin.ts'

for (const plugin of plugins) {
  const name = plugin.subsystem === 'http' ? plugin.name : `stream-${plugin.name}`
  const file = new URL(`samples/plugins/${name}.ts`, import.meta.url)
  if (!existsSync(file)) {
    test(`there are samples of ${name}`, () => assert.fail(`test/contract/samples/plugins/${name}.ts is missing`))
    continue
  }
  const { samples } = (await import(file.href)) as { samples: PluginSamples }
  pluginContract(plugin, samples, plugins)
}
