/** Every plugin's mistakes, sent to the Admin API of a whole gateway: 400 with the plugin, the property and the reason, and nothing is stored. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Json, JsonObject } from '../../src/base/json.ts'
import { plugins } from '../../src/plugins/index.ts'
import type { PluginSamples } from '../contract/plugin.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

let gateway: TestGateway
before(async () => {
  const names = (subsystem: string) => plugins.filter((each) => each.subsystem === subsystem).map(({ name }) => name)
  gateway = await startTestGateway({ config: { plugins: names('http'), stream_plugins: names('stream') } })
})
after(() => gateway?.stop())

type Refused = PluginSamples['refused']

/** What the Admin API says about it; fails if it takes it, or keeps it. */
async function refusal(at: string, value: Json): Promise<string> {
  const { status, body } = await gateway.admin('PUT', at, value)
  assert.equal(status, 400, JSON.stringify([value, body]))
  assert.equal((await gateway.admin('GET', at)).status, 404)
  const { error_msg, ...rest } = body as JsonObject
  assert.deepEqual(rest, {})
  return error_msg as string
}

async function allRefused(
  refused: Refused,
  at: string,
  prefix: string,
  placed: (conf: Json) => Json,
): Promise<string[]> {
  const messages: string[] = []
  for (const [conf, reason] of refused) {
    const message = await refusal(at, placed(conf))
    assert.ok(message.startsWith(prefix), message)
    const said = message.slice(prefix.length)
    assert.ok(said.includes(reason), `${JSON.stringify(conf)}: ${message}`)
    messages.push(said)
  }
  return messages
}

/** The names of all properties that a schema, or a part of it, has. */
function propertiesOf(schema: Json | undefined): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const own = Array.isArray(schema) ? [] : Object.keys((schema['properties'] ?? {}) as object)
  return [...own, ...Object.values(schema).flatMap((part) => propertiesOf(part as Json))]
}

for (const plugin of plugins) {
  const { name, subsystem } = plugin
  const isHttp = subsystem === 'http'
  const file = new URL(`../contract/samples/plugins/${isHttp ? name : `stream-${name}`}.ts`, import.meta.url)
  const { samples } = (await import(file.href)) as { samples: PluginSamples }

  suite(`plugin ${name} (${subsystem})`, () => {
    test('what is wrong on a route is told with the plugin and the property', async () => {
      const messages = isHttp
        ? await allRefused(
            samples.refused,
            '/routes/bad',
            `failed to check the configuration of plugin ${name} err: `,
            (conf) => ({ uri: '/bad', plugins: { [name]: conf } }),
          )
        : await allRefused(
            samples.refused,
            '/stream_routes/bad',
            `failed to check the configuration of stream plugin [${name}]: `,
            (conf) => ({ plugins: { [name]: conf } }),
          )
      assert.ok(messages.length >= 2, 'there are two mistakes at least')
      const named = propertiesOf(plugin.schema as Json)
      assert.ok(
        messages.some((message) => named.some((property) => message.includes(property))),
        String(messages),
      )
    })

    test('a configuration that is no object is told with the plugin', async () => {
      const value = isHttp ? { uri: '/bad', plugins: { [name]: 'x' } } : { plugins: { [name]: 'x' } }
      assert.equal(
        await refusal(isHttp ? '/routes/bad' : '/stream_routes/bad', value),
        `invalid plugin conf "x" for plugin [${name}]`,
      )
    })

    if (plugin.consumerSchema !== undefined && isHttp) {
      test('what is wrong on a consumer is told with the plugin and the property', async () => {
        await allRefused(
          samples.consumers?.refused ?? [],
          '/consumers/bad',
          `invalid plugins configuration: failed to check the configuration of plugin ${name} err: `,
          (conf) => ({ username: 'bad', plugins: { [name]: conf } }),
        )
      })
    }

    if (plugin.metadataSchema !== undefined && isHttp) {
      test('what is wrong in its metadata is told with the property', async () => {
        await allRefused(samples.metadata?.refused ?? [], `/plugin_metadata/${name}`, '', (conf) => conf)
      })
    }
  })
}
