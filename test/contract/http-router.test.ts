/** The suite of HTTP routers over the modes there are. */
import { httpRouter, httpRouterModes } from '../../src/route/http-router.ts'
import { httpRouterContract } from './http-router.ts'

for (const mode of httpRouterModes) {
  httpRouterContract(mode, (routes, options) => httpRouter(mode, routes, { keepEncodedSlashes: false, ...options }))
}
