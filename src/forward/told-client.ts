/** The client's address as a trusted peer in front of the gateway tells it: nginx's `real_ip`, before anything looks at it. */
import { IpSet } from '../base/ip-set.ts'
import { clientInList } from '../exchange/client-address.ts'
import type { HttpSession } from '../exchange/http-session.ts'

export interface ToldClient {
  /** In lower case. */
  readonly header: string
  readonly from: IpSet
  /** Of a list the last address that is not itself trusted. */
  readonly recursive: boolean
}

/** Throws for an entry that is no address; `unix:` names peers that TCP never has, and is passed over. */
export function compileToldClient(settings: {
  readonly header: string
  readonly from: readonly string[]
  readonly recursive: boolean
}): ToldClient {
  const from = new IpSet(settings.from.filter((entry) => entry !== 'unix:'))
  return { header: settings.header.toLowerCase(), from, recursive: settings.recursive }
}

/** Puts the client that the peer names in the place of the peer, if the peer may say so and what it says is an address. */
export function takeToldClient(session: HttpSession, { header, from, recursive }: ToldClient): void {
  const { headers } = session.request
  const told = headers.get(header)
  if (told === undefined || !from.has(session.remoteAddress)) return
  const list = header === 'x-forwarded-for' ? (headers.joined(header) ?? told) : told
  const address = clientInList(list, recursive ? from : undefined)
  if (address === undefined) return
  session.remoteAddress = address.host
  if (address.port !== undefined) session.remotePort = address.port
}
