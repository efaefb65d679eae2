/** The router suite over the routers there are. */
import { StreamRouter } from '../../src/route/stream-router.ts'
import { routerContract } from './router.ts'

routerContract('streams', (routes) => StreamRouter.of(routes))
