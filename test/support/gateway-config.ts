/** The configuration that every gateway of the tests starts from, and laying another over it. */

import { testWire } from './test-wire.ts'

export type PortName = 'admin' | 'control' | 'prometheus' | 'status' | 'http' | 'https'

export const adminKey = 'edd1c9f034335f136f87ad84b625c8f1'

/** All servers on 127.0.0.1 at the given ports, HTTP and HTTPS among them; no listener for streams. */
export function baseConfig(ports: Readonly<Record<PortName, number>>, workers: number): object {
  const at = (port: number): object => ({ ip: '127.0.0.1', port })
  return {
    apisix: {
      proxy_mode: 'http&stream',
      node_listen: [at(ports.http)],
      ssl: { listen: [at(ports.https)] },
      control: at(ports.control),
      status: at(ports.status),
    },
    deployment: {
      admin: { admin_listen: at(ports.admin), admin_key: [{ name: 'admin', key: adminKey, role: 'admin' }] },
    },
    plugin_attr: { prometheus: { export_addr: at(ports.prometheus) } },
    nginx_config: { worker_processes: workers, error_log_level: 'info' },
    sluice: { wire: testWire },
  }
}

/** Objects merge key by key; all else of `over` replaces. */
export function merged(base: unknown, over: unknown): unknown {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject(base) || !isObject(over)) return over
  const result = { ...base }
  for (const [key, value] of Object.entries(over)) result[key] = key in base ? merged(base[key], value) : value
  return result
}
