/** The address of a client as somebody in front of the gateway tells it: in a field, with or without a port, alone or in a list. */
import { type IpSet, isAddress } from '../base/ip-set.ts'

export interface ToldAddress {
  /** Numeric, without brackets. */
  readonly host: string
  /** Undefined: none was told. */
  readonly port: number | undefined
}

/** Reads `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]` and `[::1]:80`; undefined for anything else. */
export function readAddress(text: string): ToldAddress | undefined {
  const trimmed = text.trim()
  if (isAddress(trimmed)) return { host: trimmed, port: undefined }
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(trimmed)
  const host = match?.[1] ?? match?.[2]
  if (match === null || host === undefined || !isAddress(host)) return undefined
  const port = match[3] === undefined ? undefined : Number(match[3])
  return port !== undefined && port > 65_535 ? undefined : { host, port }
}

/**
 * The client in a list of addresses, the nearest last: the last one, or, where `trusted` is given, the last that is not in it,
 * and the first if all are. Undefined when what would be it is no address.
 */
export function clientInList(list: string, trusted: IpSet | undefined): ToldAddress | undefined {
  const entries = list.split(',')
  let found = readAddress(entries[entries.length - 1] as string)
  if (trusted === undefined) return found
  for (let at = entries.length - 2; at >= 0 && found !== undefined && trusted.has(found.host); at -= 1) {
    found = readAddress(entries[at] as string)
  }
  return found
}
