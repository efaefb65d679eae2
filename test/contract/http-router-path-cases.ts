/** What requests take of small tables of paths and conditions, for all modes or for those named. */
import type { HttpRule } from '../../src/route/http-route.ts'
import type { HttpRouterMode } from '../../src/route/http-router.ts'
import type { TestRequest } from '../support/http-exchange.ts'
import type { Expected } from './http-router.ts'

export interface HttpRouterCase {
  readonly name: string
  /** Default: all. */
  readonly modes?: readonly HttpRouterMode[]
  readonly options?: { readonly keepEncodedSlashes?: boolean }
  readonly rules: Readonly<Record<string, Partial<HttpRule>>>
  /** A request, or its target, and the route that it takes. */
  readonly takes: readonly (readonly [string | TestRequest, Expected])[]
}

const literal: readonly HttpRouterMode[] = ['radixtree_host_uri', 'radixtree_uri']
const parameters: readonly HttpRouterMode[] = ['radixtree_uri_with_parameter']

export const pathCases: readonly HttpRouterCase[] = [
  { name: 'without routes nothing matches', rules: {}, takes: [['/', undefined]] },
  {
    name: 'a path without asterisk is the whole path',
    rules: { a: { uris: ['/a/b'] }, root: { uris: ['/'] } },
    takes: [
      ['/a/b', { id: 'a', uri: '/a/b', params: undefined, host: undefined }],
      ['/a/b?x=1', 'a'],
      ['/a/b/', undefined],
      ['/a/b/c', undefined],
      ['/a', undefined],
      ['/A/b', undefined],
      ['/', 'root'],
    ],
  },
  {
    name: 'an asterisk behind a slash asks for the slash, behind a letter for the letter',
    rules: { slash: { uris: ['/a/*'] }, letter: { uris: ['/b*'] } },
    takes: [
      ['/a/', { id: 'slash', uri: '/a/*', params: { ':ext': '' } }],
      ['/a/x/y', { id: 'slash', params: { ':ext': 'x/y' } }],
      ['/a', undefined],
      ['/b', { id: 'letter', params: undefined }],
      ['/bcd/e', { id: 'letter', params: undefined }],
    ],
  },
  {
    name: 'an asterisk alone is every path',
    rules: { all: { uris: ['*'] }, some: { uris: ['/a*'] } },
    takes: [
      ['/', 'all'],
      ['/x/y', 'all'],
      ['/ab', 'some'],
    ],
  },
  {
    name: 'the exact path is asked before every prefix, the longer prefix before the shorter, whatever their priority',
    rules: {
      short: { uris: ['/a/*'], priority: 10 },
      long: { uris: ['/a/b/*'] },
      letters: { uris: ['/a/b*'], priority: 100 },
      exact: { uris: ['/a/b/c'], priority: -5 },
    },
    takes: [
      ['/a/b/c', 'exact'],
      ['/a/b/d', 'long'],
      ['/a/bb', 'letters'],
      ['/a/x', 'short'],
    ],
  },
  {
    name: 'what APISIX documents of full and prefix matches',
    rules: {
      foo: { uris: ['/blog/foo/*'] },
      a: { uris: ['/blog/foo/a/*'] },
      c: { uris: ['/blog/foo/c/*'] },
      bar: { uris: ['/blog/foo/bar'] },
    },
    takes: [
      ['/blog/foo/bar', 'bar'],
      ['/blog/foo/a/b/c', 'a'],
      ['/blog/foo/c/d', 'c'],
      ['/blog/foo/gloo', 'foo'],
      ['/blog/bar', undefined],
    ],
  },
  {
    name: 'on one path the greater priority is first, then load order',
    rules: {
      first: { uris: ['/x'] },
      high: { uris: ['/x'], priority: 1 },
      second: { uris: ['/y'] },
      third: { uris: ['/y'] },
    },
    takes: [
      ['/x', 'high'],
      ['/y', 'second'],
    ],
  },
  {
    name: 'of prefixes up to the same place the longer one as written is first, after priority',
    rules: {
      bare: { uris: ['/a/*'] },
      named: { uris: ['/a/*name'] },
      middle: { uris: ['/b/*/c'] },
      plain: { uris: ['/b/*'], priority: 1 },
    },
    takes: [
      ['/a/x', { id: 'named', params: { name: 'x' } }],
      ['/b/x/c', 'plain'],
    ],
  },
  {
    name: 'a path gives way to a shorter prefix where the rest does not fit',
    rules: {
      exact: { uris: ['/a/b'], methods: ['POST'] },
      prefix: { uris: ['/a/*'], vars: [['arg_v', '==', '1']] },
      all: { uris: ['/*'] },
    },
    takes: [
      [{ target: '/a/b', method: 'POST' }, 'exact'],
      ['/a/b?v=1', 'prefix'],
      ['/a/b', 'all'],
    ],
  },
  {
    name: 'an asterisk in the middle takes all it can, slashes too, and the whole path must fit',
    rules: { two: { uris: ['/s/*x/b/*y/c'] }, one: { uris: ['/*/b'] } },
    takes: [
      ['/q/r/b', { id: 'one', params: { ':ext': 'q/r' } }],
      ['/b', undefined],
      ['/q/b/', undefined],
      ['/s/1/b/2/b/3/c', { id: 'two', params: { x: '1/b/2', y: '3' } }],
      ['/s/1/b/2/c/d', undefined],
      ['/s/1/b', { id: 'one', params: { ':ext': 's/1' } }],
    ],
  },
  {
    name: 'an asterisk within a segment ends what is looked at',
    rules: { a: { uris: ['/a*/b'] } },
    takes: [
      ['/ax/b', { id: 'a', params: undefined }],
      ['/ax/c', 'a'],
    ],
  },
  {
    name: 'several paths of one route',
    rules: { a: { uris: ['/a', '/b/*', '/c'] } },
    takes: [
      ['/a', { id: 'a', uri: '/a' }],
      ['/b/x', { id: 'a', uri: '/b/*' }],
      ['/c', { id: 'a', uri: '/c' }],
    ],
  },
  {
    name: 'methods, and none that rules cannot name',
    rules: { purge: { uris: ['/x'], methods: ['PURGE', 'GET'] }, any: { uris: ['/y'] } },
    takes: [
      [{ target: '/x', method: 'PURGE' }, 'purge'],
      [{ target: '/x', method: 'GET' }, 'purge'],
      [{ target: '/x', method: 'HEAD' }, undefined],
      [{ target: '/x', method: 'PROPFIND' }, undefined],
      [{ target: '/x', method: 'get' }, undefined],
      [{ target: '/y', method: 'PROPFIND' }, 'any'],
    ],
  },
  {
    name: 'addresses of clients',
    rules: { net: { remoteAddrs: ['10.0.0.0/8', '2001:db8::1'] }, all: { priority: -1 } },
    takes: [
      [{ remoteAddress: '10.9.9.9' }, 'net'],
      [{ remoteAddress: '2001:db8::1' }, 'net'],
      [{ remoteAddress: '2001:db8::2' }, 'all'],
      [{ remoteAddress: '' }, 'all'],
    ],
  },
  {
    name: 'vars must hold',
    rules: {
      a: {
        vars: [
          ['http_x_kind', 'in', ['a', 'b']],
          ['arg_n', '>', 5],
        ],
        priority: 2,
      },
      b: { vars: [['OR', ['cookie_Id', '==', '7'], ['request_method', '==', 'PUT']]], priority: 1 },
      c: { vars: [] },
    },
    takes: [
      [{ target: '/?n=6', headers: { 'X-Kind': 'b' } }, 'a'],
      [{ target: '/?n=5', headers: { 'X-Kind': 'b' } }, 'c'],
      [{ headers: { Cookie: 'id=1; Id=7' } }, 'b'],
      [{ method: 'PUT' }, 'b'],
      ['/', 'c'],
    ],
  },
  {
    name: 'a colon is text',
    modes: literal,
    rules: { colon: { uris: ['/user/:id'] }, prefix: { uris: ['/:a/*'] } },
    takes: [
      ['/user/:id', { id: 'colon', params: undefined }],
      ['/user/7', undefined],
      ['/:a/b', { id: 'prefix', params: { ':ext': 'b' } }],
      ['/x/b', undefined],
    ],
  },
  {
    name: 'a parameter is one segment that is not empty',
    modes: parameters,
    rules: {
      name: { uris: ['/name/:name/id/:id'] },
      tail: { uris: ['/name/:name/id/:id/*other'] },
      foo: { uris: ['/:name/foo'] },
    },
    takes: [
      ['/name/json/id/1', { id: 'name', uri: '/name/:name/id/:id', params: { name: 'json', id: '1' } }],
      ['/name/json/id/', undefined],
      ['/name/json', undefined],
      ['/name/json/id/1/x/y', { id: 'tail', params: { name: 'json', id: '1', other: 'x/y' } }],
      ['/json/foo', { id: 'foo', params: { name: 'json' } }],
      ['/json/foo/bar', undefined],
      ['/json/', undefined],
    ],
  },
  {
    name: 'a slash at the end of a path with parameters is asked for',
    modes: parameters,
    rules: { slash: { uris: ['/:x/'] }, none: { uris: ['/:x'] } },
    takes: [
      ['/a/', 'slash'],
      ['/a', 'none'],
    ],
  },
  {
    name: 'values that follow an asterisk in the middle are their own',
    modes: parameters,
    rules: { a: { uris: ['/a/*x/:y'] }, b: { uris: ['/b/:p/*'] } },
    takes: [
      ['/a/1/2/3', { id: 'a', params: { x: '1/2', y: '3' } }],
      ['/b/1/2/3', { id: 'b', params: { p: '1', ':ext': '2/3' } }],
    ],
  },
  {
    name: 'a colon within a segment ends what is looked at',
    modes: parameters,
    rules: { verb: { uris: ['/v1/job:cancel'] } },
    takes: [
      ['/v1/job:cancel', 'verb'],
      ['/v1/jobs', 'verb'],
      ['/v1/x', undefined],
    ],
  },
  {
    name: 'names of parameters that objects have are names like others',
    modes: parameters,
    rules: { a: { uris: ['/:__proto__/:constructor'] } },
    takes: [['/x/y', { id: 'a', params: JSON.parse('{"__proto__":"x","constructor":"y"}') }]],
  },
  {
    name: 'paths beyond ASCII',
    rules: { a: { uris: ['/größe/*'] }, b: { uris: ['/中文'] } },
    takes: [
      ['/gr%C3%B6%C3%9Fe/x', 'a'],
      ['/%E4%B8%AD%E6%96%87', 'b'],
      ['/%E4%B8%AD', undefined],
    ],
  },
  {
    name: 'encoded slashes separate like others unless they are kept',
    rules: { whole: { uris: ['/v/a%2Fb'] }, apart: { uris: ['/v/a/b'] } },
    takes: [
      ['/v/a%2Fb', 'apart'],
      ['/v/a/b', 'apart'],
    ],
  },
  {
    name: 'encoded slashes that are kept are written in upper case, and dot segments and double slashes undo it',
    options: { keepEncodedSlashes: true },
    rules: { whole: { uris: ['/v/a%2Fb'] }, apart: { uris: ['/v/a/b'] }, root: { uris: ['/'] } },
    takes: [
      ['/v/a%2Fb', 'whole'],
      ['/v/a%2fb', 'whole'],
      ['/v/%61%2fb?x=%2f', 'whole'],
      ['/v//a%2Fb', 'apart'],
      ['/v/a/b', 'apart'],
      ['/?next=%2Fv', 'root'],
    ],
  },
  {
    name: 'encoded slashes that are kept do not end a parameter',
    modes: parameters,
    options: { keepEncodedSlashes: true },
    rules: { list: { uris: ['/v1/:id/products/:type/list'] } },
    takes: [
      ['/v1/2024%2F01%2f0001/products/x/list', { id: 'list', params: { id: '2024%2F01%2F0001', type: 'x' } }],
      ['/v1/a/b/products/x/list', undefined],
    ],
  },
]
