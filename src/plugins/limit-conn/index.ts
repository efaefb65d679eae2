/** limit-conn for both subsystems. */
export { limitConn } from './limit-conn.ts'
export { streamLimitConn } from './stream-limit-conn.ts'
