/** Every plugin that is built in, in no particular order: priorities decide. */
import type { AnyPlugin } from '#sdk'
import { ipRestriction } from './ip-restriction.ts'
import { keyAuth } from './key-auth.ts'
import { limitConn } from './limit-conn.ts'

export const plugins: readonly AnyPlugin[] = [ipRestriction, keyAuth, limitConn]
