/** What requests take of small tables in which hosts count, for all modes or for those named. */
import type { HttpRouterMode } from '../../src/route/http-router.ts'
import type { HttpRouterCase } from './http-router-path-cases.ts'

const hostFirst: readonly HttpRouterMode[] = ['radixtree_host_uri']
const pathFirst: readonly HttpRouterMode[] = ['radixtree_uri', 'radixtree_uri_with_parameter']

export const hostCases: readonly HttpRouterCase[] = [
  {
    name: 'hosts: one, or all that end so; never a request without host',
    rules: {
      exact: { hosts: ['foo.test'] },
      many: { hosts: ['*.foo.test', 'bar.test'] },
      plain: { hosts: ['*baz.test'] },
    },
    takes: [
      [{ host: 'foo.test' }, { id: 'exact', host: 'foo.test' }],
      [{ host: 'FOO.test:8080' }, { id: 'exact', host: 'foo.test' }],
      [{ host: 'a.b.foo.test' }, { id: 'many', host: '*.foo.test' }],
      [{ host: 'bar.test' }, { id: 'many', host: 'bar.test' }],
      [{ host: 'xbaz.test' }, { id: 'plain', host: '*baz.test' }],
      [{ host: 'baz.test' }, 'plain'],
      [{ host: 'afoo.test' }, undefined],
      [{ host: '' }, undefined],
    ],
  },
  {
    name: 'any host, but not none',
    rules: { any: { hosts: ['*'] } },
    takes: [
      [{ host: 'a.test' }, { id: 'any', host: '*' }],
      [{ host: '' }, undefined],
    ],
  },
  {
    name: 'a host that is an IPv6 address',
    rules: { six: { hosts: ['[::1]'] } },
    takes: [
      [{ host: '[::1]:9080' }, { id: 'six', host: '::1' }],
      [{ host: '[::2]' }, undefined],
    ],
  },
  {
    name: 'a matching host beats path and priority of routes without',
    modes: hostFirst,
    rules: {
      hostless: { uris: ['/a/b'], priority: 100 },
      suffix: { uris: ['/a/*'], hosts: ['*.foo.test'], priority: 50 },
      host: { uris: ['/*'], hosts: ['x.foo.test'] },
    },
    takes: [
      [
        { target: '/a/b', host: 'x.foo.test' },
        { id: 'host', host: 'x.foo.test' },
      ],
      [
        { target: '/a/b', host: 'y.foo.test' },
        { id: 'suffix', host: '*.foo.test' },
      ],
      [{ target: '/a/b', host: 'foo.test' }, 'hostless'],
    ],
  },
  {
    name: 'a host whose routes do not fit gives way to the next less specific one, at last to routes without',
    modes: hostFirst,
    rules: {
      exact: { uris: ['/1'], hosts: ['x.y.foo.test'] },
      long: { uris: ['/2'], hosts: ['*.y.foo.test'] },
      short: { uris: ['/3'], hosts: ['*.foo.test'] },
      letters: { uris: ['/4'], hosts: ['*foo.test'] },
      any: { uris: ['/5'], hosts: ['*'] },
      none: { uris: ['/*'] },
    },
    takes: [
      [{ target: '/1', host: 'x.y.foo.test' }, 'exact'],
      [{ target: '/2', host: 'x.y.foo.test' }, 'long'],
      [{ target: '/3', host: 'x.y.foo.test' }, 'short'],
      [{ target: '/4', host: 'x.y.foo.test' }, 'letters'],
      [{ target: '/5', host: 'x.y.foo.test' }, 'any'],
      [
        { target: '/6', host: 'x.y.foo.test' },
        { id: 'none', host: undefined },
      ],
    ],
  },
  {
    name: 'the path beats the host, which is one condition among others',
    modes: pathFirst,
    rules: {
      hostless: { uris: ['/a/b'] },
      host: { uris: ['/*'], hosts: ['x.foo.test'], priority: 100 },
      suffix: { uris: ['/c'], hosts: ['*.foo.test'] },
      exact: { uris: ['/c'], hosts: ['x.foo.test'] },
    },
    takes: [
      [{ target: '/a/b', host: 'x.foo.test' }, 'hostless'],
      [
        { target: '/c', host: 'x.foo.test' },
        { id: 'suffix', host: '*.foo.test' },
      ],
      [
        { target: '/d', host: 'x.foo.test' },
        { id: 'host', host: 'x.foo.test' },
      ],
    ],
  },
  {
    name: 'a host with a port is compared with what the client sent',
    modes: pathFirst,
    rules: { port: { hosts: ['foo.test:8080'] }, other: { hosts: ['*.test'], priority: -1 } },
    takes: [
      [{ host: 'Foo.test:8080' }, { id: 'port', host: 'foo.test:8080' }],
      [{ host: 'foo.test' }, 'other'],
      [{ host: 'foo.test:8081' }, 'other'],
    ],
  },
  {
    name: 'many routes of one path are told apart by host',
    rules: Object.fromEntries([
      ...Array.from(
        { length: 40 },
        (_, n) => [`h${n}`, { uris: ['/x'], hosts: [`h${n}.test`, `*.h${n}.test`] }] as const,
      ),
      ['high', { uris: ['/x'], hosts: ['h7.test'], methods: ['POST'], priority: 5 }],
      ['last', { uris: ['/x'], priority: -1 }],
    ]),
    takes: [
      [
        { target: '/x', host: 'h39.test' },
        { id: 'h39', host: 'h39.test' },
      ],
      [
        { target: '/x', host: 'a.h39.test' },
        { id: 'h39', host: '*.h39.test' },
      ],
      [{ target: '/x', host: 'h7.test' }, 'h7'],
      [{ target: '/x', host: 'h7.test', method: 'POST' }, 'high'],
      [{ target: '/x', host: 'h40.test' }, 'last'],
      [{ target: '/x', host: '' }, 'last'],
    ],
  },
]
