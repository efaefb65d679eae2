/**
 * Linux can hand connections that wait at a closing socket on to the other sockets of its port. It does so for those who ask,
 * by a setting of the whole system.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const setting = '/proc/sys/net/ipv4/tcp_migrate_req'

/** Switches that on; what it returns puts the setting back. Where it may not be set it stays as it is. */
export function migrateConnections(): () => void {
  try {
    const before = readFileSync(setting, 'utf8')
    writeFileSync(setting, '1')
    return () => writeFileSync(setting, before)
  } catch {
    return () => {}
  }
}
