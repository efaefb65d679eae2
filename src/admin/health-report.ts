/** The health of upstreams as the Control API tells it: which resources may have a checker, and the page for people. */
import type { Json } from '../base/json.ts'
import type { ResourceStore } from '../config/store.ts'
import { isObject } from './patch.ts'
import type { Reply } from './reply.ts'

export interface HealthNode {
  readonly ip: string
  readonly port: number
  readonly hostname?: string
  readonly status: 'healthy' | 'mostly_healthy' | 'unhealthy' | 'mostly_unhealthy'
  readonly counter: {
    readonly success: number
    readonly http_failure: number
    readonly tcp_failure: number
    readonly timeout_failure: number
  }
}

export interface HealthReport {
  /** The key of the resource: `/apisix/upstreams/1`. */
  readonly name: string
  /** Of the probe: `http`, `https`, `tcp`, … */
  readonly type: string
  readonly nodes: readonly HealthNode[]
}

/** The directories whose resources may have `checks`, of their own or in an upstream inside, in the order of lists. */
export const healthTable: ReadonlySet<string> = new Set(['routes', 'stream_routes', 'services', 'upstreams'])

/** Every loaded resource that asks for health checks. */
export function* checkerIds(store: ResourceStore): Generator<{ kind: string; id: string }> {
  for (const kind of healthTable) {
    for (const { id, value } of store.all(kind)) {
      if (value['checks'] !== undefined || hasChecks(value['upstream'])) yield { kind, id }
    }
  }
}

function hasChecks(upstream: Json | undefined): boolean {
  return isObject(upstream) && upstream['checks'] !== undefined
}

const columns = [
  'Index',
  'Upstream',
  'Check type',
  'Host',
  'Status',
  'Success counts',
  'TCP Failures',
  'HTTP Failures',
  'TIMEOUT Failures',
]

/** One table row per node; nodes that get no traffic are red. */
export function healthPage(reports: readonly HealthReport[]): Reply {
  const title = 'APISIX upstream check status'
  const rows: string[] = []
  for (const report of reports) for (const node of report.nodes) rows.push(row(rows.length + 1, report, node))
  const body = [
    '<html xmlns="http://www.w3.org/1999/xhtml">',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<h1>${title}</h1>`,
    '<table cellspacing="0" cellpadding="3" border="1">',
    `<tr bgcolor="#C0C0C0">${columns.map((column) => `<th>${column}</th>`).join('')}</tr>`,
    ...rows,
    '</table>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
  return { status: 200, body, headers: { 'content-type': 'text/html' } }
}

function row(index: number, report: HealthReport, node: HealthNode): string {
  const { success, tcp_failure, http_failure, timeout_failure } = node.counter
  const host = `${node.ip}:${node.port}`
  const cells = [
    index,
    report.name,
    report.type,
    host,
    node.status,
    success,
    tcp_failure,
    http_failure,
    timeout_failure,
  ]
  const color = node.status === 'healthy' || node.status === 'mostly_healthy' ? '' : ' bgcolor="#FF0000"'
  return `<tr${color}>${cells.map((cell) => `<td>${escapeHtml(String(cell))}</td>`).join('')}</tr>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
