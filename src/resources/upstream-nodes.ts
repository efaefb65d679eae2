/** The two ways in which an upstream's nodes are written, their schema and their one normal form. */
import type { Json, JsonObject, JsonSchema } from '../base/json.ts'
import { hostPattern, hostSchema } from './address-schema.ts'

export interface NodeValue {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string
  /** Absent: the scheme's default, where it has one. */
  readonly port?: number
  readonly weight: number
  /** Greater is used first. */
  readonly priority: number
  readonly metadata?: JsonObject
}

const weight: JsonSchema = { description: 'weight of node', type: 'integer', minimum: 0 }

export const nodesSchema: JsonSchema = {
  anyOf: [
    { type: 'object', patternProperties: { '.*': weight } },
    {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          host: hostSchema,
          port: { description: 'port of node', type: 'integer', minimum: 1, maximum: 65535 },
          weight,
          priority: { description: 'priority of node', type: 'integer', default: 0 },
          metadata: { description: 'metadata of node', type: 'object' },
        },
        required: ['host', 'weight'],
      },
    },
  ],
}

/**
 * What the schema cannot say about nodes. `writing`: a bare IPv6 address is refused, as by APISIX's Admin API; a
 * loaded one is understood.
 */
export function nodesFault(nodes: Json, writing: boolean): string | undefined {
  if (Array.isArray(nodes)) {
    const bare = nodes.some((node) => isBareIpv6((node as JsonObject)['host'] as string))
    return bare && writing ? ipv6Fault : undefined
  }
  for (const key of Object.keys(nodes as JsonObject)) {
    const read = readAddress(key)
    if (typeof read === 'string') return read
  }
  return undefined
}

/** Nodes that passed the schema and `nodesFault`. Order is that of the source; of two equal addresses the last counts. */
export function normalizeNodes(nodes: Json): NodeValue[] {
  if (Array.isArray(nodes)) return nodes.map((node) => normalizeNode(node as JsonObject))
  return Object.entries(nodes as JsonObject).map(([key, nodeWeight]) => {
    const { host, port } = readAddress(key) as Address
    return { host, ...(port === undefined ? {} : { port }), weight: nodeWeight as number, priority: 0 }
  })
}

function normalizeNode(node: JsonObject): NodeValue {
  const { host, port, weight: nodeWeight, priority, metadata } = node
  return {
    host: withoutBrackets(host as string),
    ...(port === undefined ? {} : { port: port as number }),
    weight: nodeWeight as number,
    priority: (priority ?? 0) as number,
    ...(metadata === undefined ? {} : { metadata: metadata as JsonObject }),
  }
}

interface Address {
  readonly host: string
  readonly port: number | undefined
}

const ipv6Fault = "invalid configuration: IPv6 address must be enclosed with '[' and ']'"
const bracketed = /^\[([^\]]*)\](?::(.*))?$/
const hostText = new RegExp(hostPattern)

/** `host`, `host:port`, `[v6]`, `[v6]:port`; a text is the message of what is wrong. */
function readAddress(key: string): Address | string {
  const inBrackets = bracketed.exec(key)
  if (inBrackets === null && isBareIpv6(key)) return ipv6Fault
  const [host = '', portText] = inBrackets === null ? key.split(':') : inBrackets.slice(1)
  if (!hostText.test(host)) return `invalid configuration: bad host in node "${key}"`
  if (portText === undefined) return { host, port: undefined }
  const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : 0
  if (port < 1 || port > 65535) return `invalid configuration: bad port in node "${key}"`
  return { host, port }
}

function isBareIpv6(host: string): boolean {
  return !host.startsWith('[') && host.split(':').length > 2
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}
