/** Every plugin that is built in, in no particular order: priorities decide. */
import type { AnyPlugin } from '#sdk'
import { ipRestriction, streamIpRestriction } from './ip-restriction.ts'
import { keyAuth } from './key-auth.ts'
import { limitConn } from './limit-conn.ts'
import { realIp } from './real-ip.ts'
import { refererRestriction } from './referer-restriction.ts'
import { uaRestriction } from './ua-restriction.ts'
import { uriBlocker } from './uri-blocker.ts'

export const plugins: readonly AnyPlugin[] = [
  ipRestriction,
  keyAuth,
  limitConn,
  realIp,
  refererRestriction,
  streamIpRestriction,
  uaRestriction,
  uriBlocker,
]
