/**
 * What every plugin must do, whatever it is for: keep to its schema, start and end cleanly, and let no request make it throw.
 * What it is for is tested in its own file.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Json, JsonObject } from '../../src/base/json.ts'
import { GatewayError } from '../../src/errors.ts'
import type { Exchange, StreamExchange } from '../../src/exchange/exchange.ts'
import { StreamSession } from '../../src/exchange/stream-session.ts'
import type { Chain } from '../../src/plugin/chain.ts'
import type { PluginsOf } from '../../src/plugin/check-plugins.ts'
import type { PluginSet } from '../../src/plugin/merge.ts'
import type { AnyPlugin } from '../../src/plugin/plugin.ts'
import { knownPlugins } from '../../src/plugin/plugin-table.ts'
import { runLog, runSteps } from '../../src/plugin/run.ts'
import { httpExchange, type TestRequest } from '../support/http-exchange.ts'
import { type BenchOptions, PluginBench, type UpstreamAnswer } from '../support/plugin-bench.ts'
import { StillLink } from '../support/still-link.ts'
import { until } from '../support/until.ts'

/** Configurations that the documentation shows or warns of: each mistake with a part of what is said about it. */
export interface Samples {
  readonly accepted: readonly JsonObject[]
  readonly refused: readonly (readonly [conf: Json, part: string])[]
}

export interface PluginSamples extends Samples {
  /** Of what stands on consumers and credentials. Needed if the plugin has a schema for them. */
  readonly consumers?: Samples
  /** Of `plugin_metadata`. Needed if the plugin has a schema for it. */
  readonly metadata?: Samples
  /** What the plugin finds around it when the suite runs it. */
  readonly options?: BenchOptions
  /** Cases that do not apply, with the reason. */
  readonly skip?: Readonly<Partial<Record<'requests', string>>>
}

/** Requests that nobody writes a plugin for. */
const requests: readonly TestRequest[] = [
  {},
  { method: 'POST', target: '/a/b?x=1&y=2', headers: { 'Content-Type': 'application/json' }, body: '{"a":1}' },
  { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: ['{"a"', ':'], chunked: true },
  { method: 'POST', body: 'half', fails: new GatewayError('client_gone') },
  { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'a=%zz&=&&b' },
  { method: 'OPTIONS', target: '*', host: '' },
  { method: 'HEAD', target: '/%ff%fe?%=%&&=&a=%', version: 10 },
  {
    target: '/',
    headers: [
      ['Cookie', 'a=1; =; b'],
      ['Cookie', ';;'],
      ['Authorization', ''],
      ['apikey', ''],
    ],
  },
  { target: '/', headers: { Authorization: 'Basic !!!', Origin: 'null', Referer: '%', 'User-Agent': '\u00e9' } },
  { target: '/', headers: { Authorization: 'Bearer a.b.c', 'Accept-Encoding': ';q=,,' }, remoteAddress: '::1' },
  { target: `/${'a'.repeat(5000)}`, headers: { 'X-Long': 'b'.repeat(5000) } },
]
const answers: readonly UpstreamAnswer[] = [
  { headers: { 'Content-Type': 'application/json', 'Content-Length': '7' }, body: ['{"a"', ':1}'] },
  { status: 500, headers: { 'Content-Type': 'text/html' }, body: 'broken' },
  { status: 204, body: [] },
]

/** Runs over one plugin. `others` are enabled beside it, for plugins that hold others. */
export function pluginContract(plugin: AnyPlugin, samples: PluginSamples, others: readonly AnyPlugin[]): void {
  const { name, subsystem } = plugin
  const bench = (): PluginBench =>
    new PluginBench([...others.filter((other) => other !== plugin), plugin], samples.options)
  const skipped = subsystem === 'stream' ? 'a stream route has no requests' : samples.skip?.requests
  const setOf = (conf: Json): PluginSet => ({ [name]: conf as JsonObject })

  suite(`plugin ${name} (${subsystem})`, () => {
    test('it has the name and the priority that APISIX gives it', () => {
      const known = knownPlugins[subsystem].find((each) => each.name === name)
      assert.equal(plugin.priority, known?.priority ?? plugin.priority)
    })

    checkSamples('', samples, (conf) => bench().catalogue.check(setOf(conf) as JsonObject, subsystem))
    if (plugin.consumerSchema !== undefined) {
      const check = (conf: Json) => bench().catalogue.check(setOf(conf) as JsonObject, 'consumer')
      checkSamples('on a consumer, ', needed(samples.consumers, 'consumers'), check)
    }
    if (plugin.metadataSchema !== undefined) {
      const check = (value: Json) => bench().catalogue.checkMetadata(name, value as JsonObject)
      checkSamples('as metadata, ', needed(samples.metadata, 'metadata'), check)
    }

    test('a configuration with its defaults is as valid as without them, and has no more to be filled in', () => {
      const { catalogue } = bench()
      const places: [Samples, PluginsOf][] = [[samples, subsystem]]
      if (samples.consumers !== undefined) places.push([samples.consumers, 'consumer'])
      for (const [{ accepted }, place] of places) {
        for (const conf of accepted) {
          const whole = catalogue.withDefaults(setOf(conf) as JsonObject, place)
          assert.equal(catalogue.check(whole, place), undefined)
          assert.deepEqual(catalogue.withDefaults(whole, place), whole)
        }
      }
    })

    test('each secret field is one of a schema', () => {
      const schemas = [plugin.schema, plugin.consumerSchema, plugin.metadataSchema]
      for (const field of plugin.encryptedFields ?? []) {
        const first = field.split('.')[0] as string
        assert.ok(
          schemas.some((schema) => Object.hasOwn((schema?.['properties'] ?? {}) as object, first)),
          field,
        )
      }
    })

    test('it starts, twice from one configuration; each ends without the other', async () => {
      for (const conf of samples.accepted) {
        const own = bench()
        const [first, second] = [chainOf(own, plugin, conf, 1), chainOf(own, plugin, conf, 2)]
        assert.deepEqual(started(own), [])
        first.close()
        await firstRequest(second, subsystem, samples)
        second.close()
        assert.deepEqual(started(own), [])
      }
    })

    test('its log phase can run for an exchange that reached none of its other phases', () => {
      for (const conf of samples.accepted) {
        const own = bench()
        const chain = chainOf(own, plugin, conf, 1)
        runLog(chain.log ?? [], exchangeOf(subsystem), (error) => assert.fail(String(error)))
        chain.close()
      }
    })

    test('no request and no answer makes it throw', {
      skip: skipped,
    }, async () => {
      for (const conf of samples.accepted) {
        const own = bench()
        const chain = chainOf(own, plugin, conf, 1)
        for (const [at, request] of requests.entries()) {
          await own.run(chain, request, answers[at % answers.length]).catch(expected)
        }
        assert.deepEqual(started(own), [])
        chain.close()
      }
    })

    test('nothing is left of it when it is closed', async () => {
      const before = resources()
      for (const conf of samples.accepted) {
        const own = bench()
        const chain = chainOf(own, plugin, conf, 1)
        await firstRequest(chain, subsystem, samples)
        chain.close()
      }
      await until(() => resources() <= before, { what: 'the end of timers and sockets' })
    })
  })
}

function checkSamples(where: string, { accepted, refused }: Samples, check: (conf: Json) => string | undefined): void {
  for (const conf of accepted) {
    test(`${where}${JSON.stringify(conf)} is accepted`, () => {
      const before = structuredClone(conf)
      assert.equal(check(conf), undefined)
      assert.deepEqual(conf, before)
    })
  }
  for (const [conf, part] of refused) {
    test(`${where}${JSON.stringify(conf)} is refused: ${part}`, () => {
      const fault = check(conf) ?? 'it was accepted'
      assert.ok(fault.includes(part), fault)
    })
  }
}

function needed(samples: Samples | undefined, what: string): Samples {
  return samples ?? { accepted: [], refused: [[{}, `samples of ${what} are missing`]] }
}

function chainOf(bench: PluginBench, plugin: AnyPlugin, conf: JsonObject, route: number): Chain {
  const plugins = { [plugin.name]: conf }
  if (plugin.subsystem === 'http') return bench.chain(plugins, `routes/${route}`)
  const whole = bench.catalogue.withDefaults(plugins, 'stream') as PluginSet
  return bench.host.chain(`stream_routes/${route}`, whole)
}

function started(bench: PluginBench): readonly string[] {
  return bench.logged.filter((message) => /did not start|failed to close/.test(message))
}

function exchangeOf(subsystem: AnyPlugin['subsystem']): Exchange {
  return subsystem === 'http' ? httpExchange() : new StreamSession('tcp', new StillLink())
}

/** One exchange from its first phase to the last. */
async function firstRequest(chain: Chain, subsystem: AnyPlugin['subsystem'], { skip }: PluginSamples): Promise<void> {
  if (skip?.requests !== undefined) return
  if (subsystem === 'http') {
    await new PluginBench([]).run(chain).catch(expected)
    return
  }
  const exchange = exchangeOf('stream') as StreamExchange
  await runSteps(chain.preread ?? [], exchange)
  runLog(chain.log ?? [], exchange, (error) => assert.fail(String(error)))
}

/** A failure of the exchange is an outcome; anything else is a plugin that threw. */
function expected(error: unknown): void {
  if (error instanceof GatewayError && error.code !== 'internal') return
  throw error
}

/** How many timers and sockets keep this process alive. */
function resources(): number {
  const counted = new Set([
    'Timeout',
    'TCPSocketWrap',
    'TCPServerWrap',
    'TLSWrap',
    'UDPWRAP',
    'PipeWrap',
    'FSReqCallback',
  ])
  return process.getActiveResourcesInfo().filter((name) => counted.has(name)).length
}
