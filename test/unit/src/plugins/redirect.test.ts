import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redirect } from '../../../../src/plugins/redirect.ts'
import type { TestRequest } from '../../../support/http-exchange.ts'
import { PluginBench } from '../../../support/plugin-bench.ts'

const cases: readonly [conf: object, asked: TestRequest, status: number, location: string | undefined][] = [
  [{ uri: '/to/here' }, { target: '/x?a=1' }, 302, '/to/here'],
  [{ uri: '$uri/index.html', ret_code: 301 }, { target: '/x?a=1' }, 301, '/x/index.html'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the configuration
  [{ uri: 'https://$host/${uri}' }, { target: '/x', host: 'a.test' }, 302, 'https://a.test//x'],
  [{ uri: '/price\\$1' }, {}, 302, '/price$1'],
  [{ uri: '/to', append_query_string: true }, { target: '/x?a=1&b' }, 302, '/to?a=1&b'],
  [{ uri: '/to?z', append_query_string: true }, { target: '/x?a=1' }, 302, '/to?z&a=1'],
  [{ uri: '/to', append_query_string: true }, { target: '/x' }, 302, '/to'],
  [{ uri: '$uri', encode_uri: true }, { target: '/a%20b%C3%A4' }, 302, '/a%20b%C3%A4'],
  [{ regex_uri: ['^/test/(.*)/(.*)', '/$2/$1'] }, { target: '/test/a/b' }, 302, '/b/a'],
  [{ regex_uri: ['b+', 'x'] }, { target: '/abbc' }, 302, '/axc'],
  [{ regex_uri: ['^/test/(.*)', '/$1'] }, { target: '/other' }, 200, undefined],
  [{ http_to_https: true }, { target: '/a%20?b=1', host: 'a.test:80' }, 301, 'https://a.test:9443/a%20?b=1'],
  [{ http_to_https: true }, { method: 'POST', host: 'a.test' }, 308, 'https://a.test:9443/'],
  [{ http_to_https: true }, { host: '[::1]:80' }, 301, 'https://[::1]:9443/'],
  [{ http_to_https: true }, { scheme: 'https' }, 200, undefined],
  [{ http_to_https: true }, { headers: { 'x-forwarded-proto': 'https' } }, 200, undefined],
]

for (const [conf, asked, status, location] of cases) {
  test(`${asked.target ?? '/'} under ${JSON.stringify(conf)}: ${status} ${location ?? ''}`, async () => {
    const bench = new PluginBench([redirect], { attributes: { redirect: { https_ports: [9443] } } })
    const passage = await bench.run({ redirect: { ...conf } }, asked)
    assert.deepEqual([passage.status, passage.headers.get('location')], [status, location])
    bench.close()
  })
}

test('a port of the attributes goes before those that are listened on, and 443 is not named', async () => {
  for (const [attributes, location] of [
    [{ https_port: 8443, https_ports: [9443] }, 'https://localhost:8443/'],
    [{ https_ports: [443] }, 'https://localhost/'],
    [{}, 'https://localhost/'],
  ] as const) {
    const bench = new PluginBench([redirect], { attributes: { redirect: attributes as never } })
    const passage = await bench.run({ redirect: { http_to_https: true } })
    assert.equal(passage.headers.get('location'), location)
    bench.close()
  }
})
